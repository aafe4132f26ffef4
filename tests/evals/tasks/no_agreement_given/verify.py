from tests.evals.outcome import Outcome


def verify(outcome: Outcome) -> None:
    outcome.exists("invoices", "Robots, second half")
    outcome.mailed()
    outcome.says("ann@acme.example")
