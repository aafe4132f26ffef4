from tests.evals.outcome import Outcome


def verify(outcome: Outcome) -> None:
    outcome.changed("tasks", "Call Initech back", status="Completed")
