from tests.evals.outcome import Outcome


def verify(outcome: Outcome) -> None:
    outcome.says("7654")
    outcome.does_not_say("1111", "999")
