from tests.evals.seeding import World, day


def seed(crm: World) -> None:
    crm.deal("Yen project", crm.account("Umbra KK"), amount="9000000", currency="JPY")
    crm.deal("Data centre", crm.account("Hooli"), amount="310000.00", stage="QUALIFICATION")
    crm.deal("Pilot", crm.account("Initech"), amount="99999.99", stage="PROPOSAL")
    crm.deal(
        "Old giant",
        crm.account("Vandelay"),
        amount="700000",
        stage="CLOSED_LOST",
        closed_on=day(-80),
    )
