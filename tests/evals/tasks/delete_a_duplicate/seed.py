from tests.evals.seeding import World


def seed(crm: World) -> None:
    crm.lead("Carla Mendes", company_name="Mendes Bakery", email="carla@mendes.example")
    crm.lead("Carla Mendes", company_name="Mendes Bakery", email="c.mendes@mendes.example")
