from tests.evals.seeding import World, day


def seed(crm: World) -> None:
    globex = crm.account("Globex")
    crm.deal("Sensor upgrade", globex, amount="52000", stage="NEGOTIATION", closed_on=day(12))
    crm.deal("Sensor upgrade phase 2", globex, amount="20000", stage="QUALIFICATION")
    crm.deal("Sensor rental", globex, amount="7000", stage="PROPOSAL")
