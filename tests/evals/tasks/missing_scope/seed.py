from tests.evals.seeding import World


def seed(crm: World) -> None:
    crm.account("Hahn Optik", phone="+49 89 555 11")
    crm.lead("Victor Hahn", company_name="Hahn Optik", email="victor@hahn.example")
