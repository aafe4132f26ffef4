from tests.evals.outcome import Outcome
from tests.evals.seeding import day


def verify(outcome: Outcome) -> None:
    outcome.created(
        "leads",
        first_name="Carla",
        last_name="Mendes",
        company_name="Mendes Bakery",
        email="carla@mendes.example",
        rating="HOT",
        next_follow_up=day(3),
        assigned_to=["Sam Ortiz"],
        tags=["Trade fair"],
    )
