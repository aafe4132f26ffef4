from tests.evals.outcome import Outcome
from tests.evals.seeding import day


def verify(outcome: Outcome) -> None:
    outcome.says("Latex import", "Boxes arrive crushed")
    outcome.does_not_say("Latex export")
    outcome.changed("contacts", "Art Vandelay", email="art@vandelay.example")
    outcome.created("contacts", first_name="Susan", last_name="Ross", account="Vandelay Industries")
    outcome.changed(
        "opportunities", "Latex import", amount=52_000, stage="NEGOTIATION", also=("probability",)
    )
    outcome.commented("accounts", "Vandelay Industries", "Susan Ross")
    outcome.created(
        "tasks", title="Visit Vandelay", account="Vandelay Industries", due_date=day(14)
    )
    outcome.changed(
        "accounts",
        "Vandelay Industries",
        industry="APPAREL & ACCESSORIES",
        number_of_employees=80,
    )
    outcome.created("invoices", total_amount=1_250, due_date=day(14), status="Sent", currency="USD")
    outcome.mailed("susan@vandelay.example")
