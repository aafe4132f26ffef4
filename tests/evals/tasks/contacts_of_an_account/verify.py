from tests.evals.outcome import Outcome


def verify(outcome: Outcome) -> None:
    outcome.says("Ida Novák", "ida@kestrel.example", "Jo Park", "jo@kestrel.example")
    outcome.does_not_say("Not Here")
