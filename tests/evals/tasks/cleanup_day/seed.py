from tests.evals.seeding import World, day


def seed(crm: World) -> None:
    vips, misc = crm.tag("VIPs"), crm.tag("Misc")
    crm.tag("VIP")
    acme = crm.account("Acme Corp")
    crm.deal("Stale deal", acme, amount="1000", stage="PROPOSAL", closed_on="2023-02-28")
    crm.deal("Late deal", acme, amount="2000", stage="NEGOTIATION", closed_on=day(-9))
    crm.deal("Fine deal", acme, amount="2000", stage="NEGOTIATION", closed_on=day(9))
    crm.contact("Lena Fuchs", account=acme, email="lena@fuchs.example", tags=[vips])
    crm.contact("Lena Fuchs", email="old@fuchs.example")
    crm.account("Closed Bakery")
    crm.task("Renew the lease", assigned_to=["lee"], due_date=day(-1))
    crm.task("Renew the licence", assigned_to=["lee"], due_date=day(-1))
    crm.lead("Mia Misc", company_name="Misc GmbH", tags=[misc])
