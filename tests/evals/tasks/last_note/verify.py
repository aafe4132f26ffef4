from tests.evals.outcome import Outcome


def verify(outcome: Outcome) -> None:
    outcome.says("12,000", "March")
    outcome.does_not_say("Not interested")
