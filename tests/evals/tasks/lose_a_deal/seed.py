from tests.evals.seeding import World, day


def seed(crm: World) -> None:
    acme = crm.account("Acme Corp")
    crm.deal("Fence for plant 2", acme, amount="30000", stage="NEGOTIATION", closed_on=day(20))
    crm.deal("Fence for plant 3", acme, amount="35000", stage="NEGOTIATION", closed_on=day(20))
