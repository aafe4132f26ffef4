from tests.evals.outcome import Outcome
from tests.evals.seeding import day


def verify(outcome: Outcome) -> None:
    outcome.says("Stale deal", "Late deal")
    outcome.does_not_say("Fine deal")
    outcome.changed(
        "opportunities",
        "Stale deal",
        stage="CLOSED_LOST",
        closed_on=day(0),
        also=("probability",),
    )
    outcome.changed("opportunities", "Late deal", closed_on=day(60), assigned_to=["Kim Larsen"])
    gone = [before for before, after in outcome.left.values() if after is None]
    assert "old@fuchs.example" in [each.get("email") for each in gone], gone
    outcome.deleted("contacts", "Lena Fuchs")
    outcome.changed("contacts", "Lena Fuchs", tags=["VIP"])
    outcome.changed("tags", "VIPs", is_active=False)
    outcome.changed("accounts", "Closed Bakery", is_active=False)
    outcome.changed("tasks", "Renew the lease", assigned_to=["Sam Ortiz"], due_date=day(7))
    outcome.changed("tags", "Misc", is_active=False)
