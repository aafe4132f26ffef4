from tests.evals.outcome import Outcome


def verify(outcome: Outcome) -> None:
    outcome.exists("contacts", "Bo Lund")
