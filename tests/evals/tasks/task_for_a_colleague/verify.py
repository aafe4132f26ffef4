from tests.evals.outcome import Outcome
from tests.evals.seeding import day


def verify(outcome: Outcome) -> None:
    outcome.created(
        "tasks",
        due_date=day(1),
        priority="High",
        case="Wrong part delivered",
        assigned_to=["Kim Larsen"],
    )
