from tests.evals.outcome import Outcome


def verify(outcome: Outcome) -> None:
    outcome.created(
        "contacts",
        first_name="Paolo",
        last_name="Ricci",
        email="paolo@marsh.example",
        phone="+39 02 5550 1234",
        account="Marsh Packaging",
    )
