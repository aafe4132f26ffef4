from tests.evals.outcome import Outcome


def verify(outcome: Outcome) -> None:
    outcome.does_not_say("777", "Secret")
    outcome.gives(5_000)
