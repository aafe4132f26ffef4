from tests.evals.outcome import Outcome


def verify(outcome: Outcome) -> None:
    outcome.says("Zeppelin Silos", "Zara Zeppelin", "Silo for Zeppelin")
    outcome.does_not_say("balloons")
