from tests.evals.seeding import World, day


def seed(crm: World) -> None:
    initech = crm.account("Initech")
    bill = crm.contact("Bill Lumbergh", account=initech, email="bill@initech.example")
    service = crm.invoice("Initech service", initech, bill, total=1500, due_date=day(-10))
    crm.sent(service)
    crm.sent(crm.invoice("Initech audit", initech, bill, total=2200.20, due_date=day(-45)))
    crm.invoice("Initech later", initech, bill, total=9000, due_date=day(30))
    crm.deal("Initech rollout", initech, stage="QUALIFICATION")
