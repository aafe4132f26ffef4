from tests.evals.outcome import Outcome


def verify(outcome: Outcome) -> None:
    outcome.says("Nadia Roth")
    outcome.does_not_say("Nils")
