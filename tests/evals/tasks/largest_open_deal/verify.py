from tests.evals.outcome import Outcome


def verify(outcome: Outcome) -> None:
    outcome.says("Data centre", "Hooli")
    outcome.gives(310_000)
