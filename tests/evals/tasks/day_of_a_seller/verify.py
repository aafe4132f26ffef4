from tests.evals.outcome import Outcome
from tests.evals.seeding import day


def verify(outcome: Outcome) -> None:
    outcome.says("Call Eli Marsh back", "Order new pens")
    outcome.does_not_say("Prepare the fair")
    outcome.gives(17_000)
    outcome.changed("tasks", "Call Eli Marsh back", status="Completed")
    outcome.changed("leads", "Eli Marsh", status="converted", also=("is_active",))
    outcome.created("accounts", name="Marsh Packaging", industry=None)
    outcome.created("contacts", first_name="Eli", last_name="Marsh")
    deal = outcome.created("opportunities", amount=12_000, stage="PROPOSAL", closed_on=day(14))
    outcome.created("tasks", title="Send the contract", due_date=day(1), opportunity_id=deal["id"])
    outcome.deleted("tasks", "Order new pens")
    outcome.allows("comments")
