from tests.evals.outcome import Outcome


def verify(outcome: Outcome) -> None:
    outcome.says("Urgent: 1", "High: 2", "Normal: 5")
    outcome.does_not_say("Low: 1")
