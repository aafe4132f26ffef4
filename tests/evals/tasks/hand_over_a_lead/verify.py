from tests.evals.outcome import Outcome


def verify(outcome: Outcome) -> None:
    outcome.changed("leads", "Eli Marsh", assigned_to=["Kim Larsen"])
    outcome.commented("leads", "Eli Marsh", "Prefers calls after 4 pm")
