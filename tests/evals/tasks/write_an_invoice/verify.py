from tests.evals.outcome import Outcome
from tests.evals.seeding import day


def verify(outcome: Outcome) -> None:
    outcome.created(
        "invoices",
        account="Marsh Packaging",
        contact="Eli Marsh",
        currency="EUR",
        total_amount=12_000,
        due_date=day(30),
        status="Draft",
    )
    outcome.mailed()
