from tests.evals.seeding import World


def seed(crm: World) -> None:
    acme = crm.account("Acme Corp")
    ann = crm.contact("Ann Berg", account=acme, email="ann@acme.example")
    crm.case("Gripper loses pressure", account=acme, status="Assigned", contacts=[ann])
    crm.case("Gripper loses parts", account=acme, status="Assigned", contacts=[ann])
