from tests.evals.outcome import Outcome
from tests.evals.seeding import day


def verify(outcome: Outcome) -> None:
    outcome.says("Pequot renewal", "Gotham renewal")
    outcome.does_not_say("new vault", "Sam's")
    outcome.changed(
        "opportunities",
        "Pequot renewal",
        stage="CLOSED_WON",
        amount=24_000,
        closed_on=day(0),
        also=("probability",),
    )
    outcome.changed("opportunities", "Gotham renewal", stage="NEGOTIATION", probability=75)
    outcome.commented("opportunities", "Gotham renewal", "legal")
    outcome.created(
        "opportunities",
        name="Pequot renewal next year",
        account="Pequot Savings",
        opportunity_type="RENEWAL",
        amount=25_000,
        closed_on=day(365),
        assigned_to=["Kim Larsen"],
    )
    outcome.changed("accounts", "Pequot Savings", tags=["Renewed"])
    outcome.changed("tasks", "Prepare Pequot contract", status="Completed")
    outcome.created(
        "tasks", due_date=day(300), account="Pequot Savings", assigned_to=["Kim Larsen"]
    )
