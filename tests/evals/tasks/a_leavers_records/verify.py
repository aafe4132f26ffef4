from tests.evals.outcome import Outcome


def verify(outcome: Outcome) -> None:
    outcome.changed("opportunities", "Lease renewal", assigned_to=["Kim Larsen"])
    outcome.says("Lee")
