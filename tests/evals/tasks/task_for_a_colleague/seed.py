from tests.evals.seeding import World


def seed(crm: World) -> None:
    acme = crm.account("Acme Corp")
    crm.case("Wrong part delivered", account=acme, priority="High")
    crm.case("Wrong part number", account=acme)
