from tests.evals.seeding import World


def seed(crm: World) -> None:
    acme = crm.account("Acme Corp")
    crm.contact("Lena Fuchs", account=acme, email="lena@acme.example", phone="+49 30 555 0101")
    crm.contact("Lena Fuchs", account=acme, email="l.fuchs@acme.example", phone="+49 30 5550101")
    crm.contact("Leo Fuchs", account=acme, email="leo@acme.example")
    crm.contact("Mira Sand", email="mira@sand.example")
