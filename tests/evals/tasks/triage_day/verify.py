from tests.evals.outcome import Outcome
from tests.evals.seeding import day


def verify(outcome: Outcome) -> None:
    outcome.says("Robot is on fire", "Kim Larsen: 1", "Sam Ortiz: 2")
    outcome.changed(
        "cases",
        "Robot is on fire",
        priority="Urgent",
        status="Assigned",
        assigned_to=["Kim Larsen"],
    )
    outcome.changed(
        "cases",
        "Price of a gripper?",
        priority="Low",
        case_type="Question",
        status="Assigned",
        assigned_to=["Sam Ortiz"],
    )
    outcome.changed("cases", "Crash after firmware 2.1", parent="Firmware 2.1 crashes")
    outcome.changed("cases", "Firmware 2.1 crashes", is_problem=True, priority="High")
    outcome.created("tasks", case="Robot is on fire", due_date=day(0), assigned_to=["Kim Larsen"])
    outcome.created("time_entries", duration_minutes=30, billable=True)
    outcome.linked("cases", "Firmware 2.1 crashes", "Downgrade to 2.0")
    outcome.created("solutions", title="Downgrade to 2.0")
    outcome.allows("watchers")
