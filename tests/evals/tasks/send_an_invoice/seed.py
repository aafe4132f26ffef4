from tests.evals.seeding import World, day


def seed(crm: World) -> None:
    acme = crm.account("Acme Corp")
    ann = crm.contact("Ann Berg", account=acme)
    crm.invoice(
        "Spare parts", acme, ann, total=990, client_email="ann@acme.example", due_date=day(20)
    )
    crm.invoice("Spare parts for plant 2", acme, ann, total=880, client_email="ann@acme.example")
