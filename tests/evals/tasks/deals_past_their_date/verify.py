from tests.evals.outcome import Outcome


def verify(outcome: Outcome) -> None:
    outcome.says("Forgotten", "Forgotten for years")
    outcome.does_not_say("Closes today", "No date", "Won in time")
