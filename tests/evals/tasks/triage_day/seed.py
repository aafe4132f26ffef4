from tests.evals.seeding import World


def seed(crm: World) -> None:
    acme = crm.account("Acme Corp")
    crm.case("Robot is on fire", account=acme, description="Smoke! Please call.")
    crm.case("Price of a gripper?", account=acme)
    crm.case("Firmware 2.1 crashes", account=acme)
    crm.case("Crash after firmware 2.1", account=acme)
    crm.case("Old one", account=acme, status="Assigned", assigned_to=["sam"])
