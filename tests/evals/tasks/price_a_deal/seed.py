from tests.evals.seeding import World


def seed(crm: World) -> None:
    crm.deal("Packing line", crm.account("Marsh Packaging"), stage="QUALIFICATION")
    crm.deal("Packing line audit", stage="QUALIFICATION")
