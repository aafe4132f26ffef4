from tests.evals.outcome import Outcome


def verify(outcome: Outcome) -> None:
    outcome.says("Delta Freight")
    outcome.gives(12_500.75)
