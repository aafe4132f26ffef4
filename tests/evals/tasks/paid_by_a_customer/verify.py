from tests.evals.outcome import Outcome


def verify(outcome: Outcome) -> None:
    outcome.gives(6_500.75, 900)
