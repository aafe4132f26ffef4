from tests.evals.seeding import World


def seed(crm: World) -> None:
    acme = crm.account("Acme Corp")
    ann = crm.contact("Ann Berg", account=acme)
    crm.invoice("Robots, second half", acme, ann, total=9000, client_email="ann@acme.example")
