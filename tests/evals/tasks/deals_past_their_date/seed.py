from tests.evals.seeding import World, day


def seed(crm: World) -> None:
    acme = crm.account("Acme Corp")
    crm.deal("Forgotten", acme, stage="PROPOSAL", closed_on=day(-1))
    crm.deal("Forgotten for years", acme, stage="NEGOTIATION", closed_on="2019-12-31")
    crm.deal("Closes today", acme, stage="PROPOSAL", closed_on=day(0))
    crm.deal("No date", acme, stage="PROPOSAL")
    crm.deal("Won in time", acme, stage="CLOSED_WON", amount="5", closed_on=day(-1))
