from tests.evals.outcome import Outcome


def verify(outcome: Outcome) -> None:
    outcome.created("tags", name="Expo 2027", color="green")
    outcome.created("teams", name="Service", users=["Kim Larsen", "Sam Ortiz"])
    outcome.changed("leads", "Carla Mendes", tags=["Hot prospects", "Expo 2027"])
    outcome.changed("leads", "Victor Hahn", tags=["Expo 2027"])
    outcome.changed("accounts", "Hooli", assigned_to=["Kim Larsen"])
    outcome.says("Kim Larsen: 2", "Sam Ortiz: 1")
    outcome.deleted("leads", "Test Test")
    outcome.changed("solutions", "Calibrating the arm", status="approved", is_published=True)
