from tests.evals.outcome import Outcome


def verify(outcome: Outcome) -> None:
    outcome.changed(
        "accounts", "Kestrel Labs", custom_fields={"region": "south"}, number_of_employees=120
    )
