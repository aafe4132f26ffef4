from tests.evals.outcome import Outcome


def verify(outcome: Outcome) -> None:
    row = next(
        each
        for (table, _), each in outcome.after.items()
        if table == outcome.tables["contacts"] and each["email"] == "anna@labs.example"
    )
    assert row["phone"] == "+49 40 9999 100", row["phone"]
    outcome.changed("contacts", "Anna Schmidt", phone="+49 40 9999 100")
