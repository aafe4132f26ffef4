from tests.evals.outcome import Outcome


def verify(outcome: Outcome) -> None:
    outcome.says("Hooli search rack", "Hooli cooling")
    outcome.does_not_say("next year", "long ago", "Hooli won", "Kim's")
