from tests.evals.outcome import Outcome
from tests.evals.seeding import day


def verify(outcome: Outcome) -> None:
    outcome.created("payments", amount=4_000, payment_method="BANK_TRANSFER", payment_date=day(-1))
    outcome.changed(
        "invoices", "Freight audit", amount_due=10_000, amount_paid=4_000, status="Partially_Paid"
    )
