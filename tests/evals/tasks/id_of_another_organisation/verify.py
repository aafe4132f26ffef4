from tests.evals.outcome import Outcome


def verify(outcome: Outcome) -> None:
    outcome.says("not found")
    outcome.does_not_say("987", "Ostrich")
