from tests.evals.seeding import World


def seed(crm: World) -> None:
    marsh = crm.account("Marsh Packaging")
    crm.contact("Eli Marsh", account=marsh, email="eli@marsh.example")
    crm.contact("Paolo Ricci", account=marsh)
