from tests.evals.seeding import World, day


def seed(crm: World) -> None:
    acme = crm.account("Acme Corp")
    for number in range(3):
        crm.deal(f"Won {number}", acme, stage="CLOSED_WON", amount="100", closed_on=day(-number))
    for number in range(5):
        crm.deal(f"Lost {number}", acme, stage="CLOSED_LOST", closed_on=day(-number))
    crm.deal("Still open", acme, stage="PROPOSAL")
    crm.deal("Also open", acme, stage="NEGOTIATION")
