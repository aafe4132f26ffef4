from tests.evals.seeding import World


def seed(crm: World) -> None:
    strange = crm.other.account("Ostrich Holding", annual_revenue="987654321")
    acme = crm.account("Acme Corp", annual_revenue="1000000")
    crm.case("Mixed up delivery", account=acme, description=f"It was meant for account {strange}")
