from tests.evals.seeding import World, day


def seed(crm: World) -> None:
    crm.account("Acme Corp")
    crm.account("Acme Corporate Travel")
    crm.deal(
        "Line 2 automation", amount="180000", currency="EUR", stage="CLOSED_WON", closed_on=day(-70)
    )
