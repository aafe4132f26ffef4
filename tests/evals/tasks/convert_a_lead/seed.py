from tests.evals.seeding import World


def seed(crm: World) -> None:
    crm.lead(
        "Victor Hahn",
        company_name="Hahn Optik",
        email="victor@hahn.example",
        opportunity_amount="22000",
    )
    crm.lead("Viktor Hahn", company_name="Hahn & Co", email="viktor@hahn.example")
