from tests.evals.seeding import World, day


def seed(crm: World) -> None:
    hooli = crm.account("Hooli")
    crm.deal("Hooli search rack", hooli, stage="PROPOSAL", closed_on=day(3), assigned_to=["sam"])
    crm.deal("Hooli cooling", hooli, stage="NEGOTIATION", closed_on=day(29), assigned_to=["sam"])
    crm.deal("Hooli next year", hooli, stage="PROPOSAL", closed_on=day(64), assigned_to=["sam"])
    crm.deal("Hooli long ago", hooli, stage="PROPOSAL", closed_on=day(-20), assigned_to=["sam"])
    crm.deal(
        "Hooli won", hooli, stage="CLOSED_WON", amount="10", closed_on=day(5), assigned_to=["sam"]
    )
    crm.deal("Kim's Hooli deal", stage="PROPOSAL", closed_on=day(6), by="kim", assigned_to=["kim"])
