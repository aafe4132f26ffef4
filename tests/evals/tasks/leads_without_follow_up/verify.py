from tests.evals.outcome import Outcome


def verify(outcome: Outcome) -> None:
    outcome.says("Carla", "Victor")
    outcome.does_not_say("Martin", "Paula")
