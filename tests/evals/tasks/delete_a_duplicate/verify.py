from tests.evals.outcome import Outcome


def verify(outcome: Outcome) -> None:
    gone = [before for before, after in outcome.left.values() if after is None]
    assert [each["email"] for each in gone] == ["c.mendes@mendes.example"]
    outcome.deleted("leads", "Carla Mendes")
