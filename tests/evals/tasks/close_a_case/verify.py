from tests.evals.outcome import Outcome
from tests.evals.seeding import day


def verify(outcome: Outcome) -> None:
    outcome.commented("cases", "Gripper loses pressure", "Seal was worn")
    outcome.changed("cases", "Gripper loses pressure", status="Closed", closed_on=day(0))
