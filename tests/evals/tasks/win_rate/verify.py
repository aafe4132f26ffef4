from tests.evals.outcome import Outcome


def verify(outcome: Outcome) -> None:
    outcome.gives(37.5, tolerance=0.6)
