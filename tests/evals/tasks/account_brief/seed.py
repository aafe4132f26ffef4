from tests.evals.seeding import World


def seed(crm: World) -> None:
    vandelay = crm.account("Vandelay Industries", industry="APPAREL & ACCESSORIES")
    art = crm.contact("Art Vandelay", account=vandelay)
    crm.deal("Latex import", vandelay, amount="43000", stage="NEGOTIATION")
    crm.case("Boxes arrive crushed", account=vandelay, priority="High")
    crm.sent(crm.invoice("Latex samples", vandelay, art, total=1250))
    other = crm.account("Vandelay Imports")
    crm.deal("Export deal", other, amount="10", stage="PROPOSAL")
