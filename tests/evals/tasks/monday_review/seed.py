from tests.evals.seeding import World, day


def seed(crm: World) -> None:
    acme = crm.account("Acme Corp")
    kim, sam = {"assigned_to": ["kim"]}, {"assigned_to": ["sam"]}
    crm.deal("Monster deal", acme, amount="5000000", stage="PROPOSAL", probability=90, **kim)
    crm.deal("Solid deal", acme, amount="60000", stage="NEGOTIATION", closed_on=day(10), **kim)
    crm.deal("Small deal", acme, amount="900", stage="QUALIFICATION", closed_on=day(90), **sam)
    crm.deal("Tiny deal", acme, amount="90.90", stage="QUALIFICATION", closed_on=day(13), **sam)
    crm.deal("Won deal", acme, amount="100", stage="CLOSED_WON", closed_on=day(-1), **sam)
    crm.deal("Lost deal", acme, amount="100", stage="CLOSED_LOST", closed_on=day(-1), **sam)
    crm.lead("Hot Henry", company_name="Henry AG", rating="HOT")
    crm.lead("Cold Karl", company_name="Karl AG", rating="COLD")
