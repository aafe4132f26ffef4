from tests.evals.seeding import World, day


def seed(crm: World) -> None:
    acme = crm.account("Acme Corp")
    delta = crm.account("Delta Freight")
    ann = crm.contact("Ann Berg", account=acme)
    dora = crm.contact("Dora Vance", account=delta)
    crm.sent(crm.invoice("Robots, second half", acme, ann, total=9000, due_date=day(-12)))
    late = crm.sent(crm.invoice("Freight audit", delta, dora, total=14000, due_date=day(-40)))
    crm.paid(late, 4000)
    crm.sent(crm.invoice("Freight portal", delta, dora, total=2500.75, due_date=day(-1)))
    crm.sent(crm.invoice("Not due yet", acme, ann, total=88000, due_date=day(9)))
    crm.paid(crm.sent(crm.invoice("Paid in time", acme, ann, total=50000, due_date=day(-30))))
