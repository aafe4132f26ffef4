from tests.evals.seeding import World


def seed(crm: World) -> None:
    crm.deal("Lease renewal", amount="12000", stage="PROPOSAL", assigned_to=["lee"])
    crm.deal("Lease renewal 2", amount="14000", stage="PROPOSAL", assigned_to=["sam"])
    crm.leaves("lee")
