from tests.evals.seeding import World


def seed(crm: World) -> None:
    crm.deal("Secret merger", amount="777000", stage="PROPOSAL", by="kim", assigned_to=["kim"])
    crm.deal("Shared deal", amount="5000", stage="PROPOSAL", assigned_to=["kim", "sam"])
    crm.deal("Sam's own", amount="9000", stage="PROPOSAL", assigned_to=["sam"])
