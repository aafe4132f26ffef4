from tests.evals.seeding import World


def seed(crm: World) -> None:
    labs = crm.account("Kestrel Labs")
    foods = crm.account("Kestrel Foods")
    crm.contact("Anna Schmidt", account=foods, phone="+49 30 1111 222", email="anna@foods.example")
    crm.contact("Anna Schmidt", account=labs, phone="+49 40 7654 321", email="anna@labs.example")
