from tests.evals.seeding import World


def seed(crm: World) -> None:
    initech = crm.account("Initech")
    crm.contact("Bo Lund", account=initech, email="bo@initech.example")
    crm.contact("Bo Lundqvist", account=initech)
