from tests.evals.seeding import World


def seed(crm: World) -> None:
    crm.account("Marsh Packaging")
    crm.account("Marshall & Sons")
    crm.contact("Paola Ricci", email="paola@other.example")
