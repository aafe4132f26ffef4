from tests.evals.outcome import Outcome


def verify(outcome: Outcome) -> None:
    outcome.changed("accounts", "Acme Corp", tags=["Partner", "Key account"])
