from tests.evals.outcome import Outcome


def verify(outcome: Outcome) -> None:
    outcome.changed("leads", "Victor Hahn", status="converted", also=("is_active",))
    outcome.created("accounts", name="Hahn Optik")
    outcome.created("contacts", first_name="Victor", last_name="Hahn")
    outcome.created("opportunities", amount=22_000, stage="QUALIFICATION")
