from tests.evals.outcome import Outcome
from tests.evals.seeding import day


def verify(outcome: Outcome) -> None:
    outcome.gives(990.90, 50)
    outcome.says("Kim Larsen: 2", "Solid deal", "Tiny deal", "Henry")
    outcome.does_not_say("Karl")
    outcome.changed("opportunities", "Monster deal", probability=10)
    outcome.commented("opportunities", "Monster deal", "Reviewed on Monday")
    outcome.created(
        "tasks",
        title="Explain the monster deal",
        due_date=day(1),
        opportunity="Monster deal",
        assigned_to=["Kim Larsen"],
    )
