from tests.evals.outcome import Outcome
from tests.evals.seeding import day


def verify(outcome: Outcome) -> None:
    outcome.created(
        "leads",
        last_name="Quist",
        company_name="Quist Dairy",
        rating="HOT",
        next_follow_up=day(1),
        tags=["Trade fair"],
        assigned_to=["Sam Ortiz"],
    )
    outcome.created(
        "leads",
        last_name="Aru",
        rating="WARM",
        next_follow_up=day(7),
        tags=["Trade fair"],
        assigned_to=["Sam Ortiz"],
    )
    outcome.commented("leads", "Petra Lindt", "wants a demo")
    outcome.changed("leads", "Petra Lindt", status="in process")
    outcome.created("tasks", title="Call Nora Quist", due_date=day(1), lead="Nora Quist")
    outcome.created("tasks", due_date=day(2), lead="Tom Aru", assigned_to=["Kim Larsen"])
    outcome.gives(2)
    outcome.deleted("leads", "Spam Spamson")
