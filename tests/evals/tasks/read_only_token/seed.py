from tests.evals.seeding import World


def seed(crm: World) -> None:
    crm.deal("Hooli deal", crm.account("Hooli"), amount="15000", stage="PROPOSAL")
