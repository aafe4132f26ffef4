from tests.evals.outcome import Outcome


def verify(outcome: Outcome) -> None:
    outcome.says("Lena Fuchs")
    outcome.does_not_say("Leo", "Mira")
