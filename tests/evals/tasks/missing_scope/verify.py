from tests.evals.outcome import Outcome


def verify(outcome: Outcome) -> None:
    outcome.changed("leads", "Victor Hahn", status="in process")
    outcome.says("accounts:write")
