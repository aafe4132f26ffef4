from tests.evals.seeding import World, day


def seed(crm: World) -> None:
    delta = crm.account("Delta Freight")
    dora = crm.contact("Dora Vance", account=delta)
    crm.sent(crm.invoice("Freight audit", delta, dora, total=14000, due_date=day(5)))
    crm.sent(crm.invoice("Freight portal", delta, dora, total=4000, due_date=day(5)))
