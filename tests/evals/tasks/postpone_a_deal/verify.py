from tests.evals.outcome import Outcome


def verify(outcome: Outcome) -> None:
    outcome.changed("opportunities", "Hooli cooling", closed_on="2027-03-31", probability=40)
