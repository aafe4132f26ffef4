from tests.evals.outcome import Outcome


def verify(outcome: Outcome) -> None:
    outcome.gives(133_400.50, 95_000)
