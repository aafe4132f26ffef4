from tests.evals.outcome import Outcome
from tests.evals.seeding import day


def verify(outcome: Outcome) -> None:
    outcome.changed(
        "opportunities",
        "Fence for plant 2",
        stage="CLOSED_LOST",
        closed_on=day(-1),
        also=("probability",),
    )
    outcome.commented("opportunities", "Fence for plant 2", "cheaper")
