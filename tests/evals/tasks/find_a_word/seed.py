from tests.evals.seeding import World, day


def seed(crm: World) -> None:
    crm.account("Zeppelin Silos", city="Friedrichshafen")
    crm.lead("Zara Zeppelin", company_name="Airship Tours")
    crm.deal("Silo for Zeppelin", amount="22000")
    crm.task("Order balloons", due_date=day(4))
