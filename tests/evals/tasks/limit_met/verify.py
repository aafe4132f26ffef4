from tests.evals.outcome import Outcome
from tests.evals.seeding import day


def verify(outcome: Outcome) -> None:
    made = {row["title"] for row in outcome.new("tasks")}
    for title in ("Call Ada", "Call Ben", "Call Cyd"):
        if title in made:
            outcome.created("tasks", title=title, due_date=day(7), assigned_to=["Sam Ortiz"])
        else:
            outcome.says(title)
