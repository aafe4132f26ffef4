from tests.evals.seeding import World, day


def seed(crm: World) -> None:
    hooli = crm.account("Hooli")
    crm.deal(
        "Hooli cooling", hooli, amount="80000", stage="PROPOSAL", closed_on=day(8), probability=60
    )
    crm.deal("Hooli cooling spares", hooli, amount="3000", stage="PROPOSAL", closed_on=day(8))
