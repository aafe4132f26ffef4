from tests.evals.outcome import Outcome


def verify(outcome: Outcome) -> None:
    for title in ("Renew the lease", "Order labels", "Answer the tender"):
        outcome.changed("tasks", title, assigned_to=["Kim Larsen"])
