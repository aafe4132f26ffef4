from tests.evals.seeding import World


def seed(crm: World) -> None:
    delta = crm.account("Delta Freight")
    dora = crm.contact("Dora Vance", account=delta)
    crm.paid(crm.invoice("Freight audit", delta, dora, total=14000), 4000)
    crm.paid(crm.invoice("Freight portal", delta, dora, total=2500.75))
    crm.paid(crm.invoice("Audit Rotterdam", delta, dora, total=900, currency="EUR"))
    crm.invoice("Draft for later", delta, dora, total=77777)
    airways = crm.account("Delta Airways")
    crm.paid(crm.invoice("Not theirs", airways, crm.contact("A Irway", account=airways), total=50))
