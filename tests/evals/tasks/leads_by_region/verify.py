from tests.evals.outcome import Outcome


def verify(outcome: Outcome) -> None:
    outcome.says("north: 4", "south: 2")
