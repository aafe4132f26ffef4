from tests.evals.outcome import Outcome
from tests.evals.seeding import day


def verify(outcome: Outcome) -> None:
    outcome.says("Arm stops after warm-up", "How to reset the controller")
    outcome.gives(2)
    outcome.changed(
        "cases",
        "Arm stops after warm-up",
        status="Assigned",
        assigned_to=["Avery Stone", "Sam Ortiz"],
    )
    outcome.commented("cases", "Arm stops after warm-up", "burnt varnish")
    outcome.changed(
        "cases",
        "Arm stops!!",
        status="Duplicate",
        also=("closed_on",),
    )
    outcome.created("tasks", priority="High", due_date=day(1), case="Arm stops after warm-up")
    outcome.linked("cases", "Arm stops after warm-up", "Reading the error lights")
    outcome.changed("cases", "How to reset the controller", status="Closed", closed_on=day(0))
    outcome.changed("cases", "Wrong part delivered", priority="Urgent")
    outcome.allows("watchers")
