from tests.evals.seeding import World


def seed(crm: World) -> None:
    crm.tag("Trade fair")
    crm.tag("Trade fair 2019")
    crm.lead("Carlo Mendes", company_name="Mendes Logistics", email="carlo@mendes.example")
