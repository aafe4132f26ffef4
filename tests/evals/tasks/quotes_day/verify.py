from tests.evals.outcome import Outcome
from tests.evals.seeding import day


def verify(outcome: Outcome) -> None:
    outcome.gives(2, 3_700.20)
    outcome.created("payments", amount=1_500, payment_date=day(0))
    outcome.changed("invoices", "Initech service", amount_due=0, amount_paid=1_500, status="Paid")
    outcome.created("line_items", quantity=10, unit_price=350)
    outcome.created("line_items", quantity=2, unit_price=800)
    outcome.changed(
        "opportunities",
        "Initech rollout",
        amount=5_100,
        stage="PROPOSAL",
        closed_on=day(21),
        also=("probability",),
    )
    outcome.commented("invoices", "Rollout, first part", "on the phone")
    outcome.created("invoices", total_amount=4_000, due_date=day(30), status="Sent")
    outcome.created("tasks", due_date=day(31), account="Initech", assigned_to=["Sam Ortiz"])
    outcome.mailed("bill@initech.example")
