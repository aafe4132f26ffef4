from tests.evals.outcome import Outcome


def verify(outcome: Outcome) -> None:
    outcome.changed("invoices", "Spare parts", status="Sent")
    outcome.mailed("ann@acme.example")
