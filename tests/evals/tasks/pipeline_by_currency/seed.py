from tests.evals.seeding import World, day


def seed(crm: World) -> None:
    acme = crm.account("Acme Corp", industry="MANUFACTURING")
    borealis = crm.account("Boréalis SARL", industry="ENERGY")
    crm.deal("Acme retrofit", acme, amount="125000", stage="NEGOTIATION", closed_on=day(20))
    crm.deal("Acme spare parts", acme, amount="8400.50", stage="PROSPECTING")
    crm.deal("Turbine sensors", borealis, amount="64000", currency="EUR", stage="PROPOSAL")
    crm.deal("Turbine service", borealis, amount="31000", currency="EUR", stage="QUALIFICATION")
    crm.deal("Won already", acme, amount="99000", stage="CLOSED_WON", closed_on=day(-3))
    crm.deal(
        "Lost to a rival",
        borealis,
        amount="77000",
        currency="EUR",
        stage="CLOSED_LOST",
        closed_on=day(-9),
    )
    crm.deal("No price yet", acme, currency="GBP")
