from tests.evals.seeding import World


def seed(crm: World) -> None:
    acme = crm.account("Acme Corp")
    crm.contact("Nadia Roth", account=acme, phone="+49 (30) 600-123456")
    crm.contact("Nils Roth", account=acme, phone="+49 (30) 600-123465")
