from tests.evals.outcome import Outcome


def verify(outcome: Outcome) -> None:
    outcome.gives(75_500.25)
