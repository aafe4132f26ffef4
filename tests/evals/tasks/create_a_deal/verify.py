from tests.evals.outcome import Outcome
from tests.evals.seeding import day


def verify(outcome: Outcome) -> None:
    outcome.created(
        "opportunities",
        name="Line 3 automation",
        account="Acme Corp",
        amount=210_000,
        currency="EUR",
        stage="PROPOSAL",
        closed_on=day(45),
        assigned_to=["Sam Ortiz"],
    )
