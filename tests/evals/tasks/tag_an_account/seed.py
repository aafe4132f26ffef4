from tests.evals.seeding import World


def seed(crm: World) -> None:
    crm.tag("Key account")
    crm.tag("Partner")
    crm.account("Acme Corp", tags=["partner"])
    crm.account("Acme Corporate Travel", tags=["partner"])
