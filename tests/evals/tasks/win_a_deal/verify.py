from tests.evals.outcome import Outcome
from tests.evals.seeding import day


def verify(outcome: Outcome) -> None:
    outcome.changed(
        "opportunities",
        "Sensor upgrade",
        stage="CLOSED_WON",
        amount=48_500,
        closed_on=day(0),
        also=("probability",),
    )
