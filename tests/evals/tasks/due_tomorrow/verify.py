from tests.evals.outcome import Outcome


def verify(outcome: Outcome) -> None:
    outcome.says("Send the contract", "Book the train")
    outcome.does_not_say("Pack", "Done already", "Kim's own")
