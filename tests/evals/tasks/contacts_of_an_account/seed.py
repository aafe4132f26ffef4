from tests.evals.seeding import World


def seed(crm: World) -> None:
    labs = crm.account("Kestrel Labs")
    foods = crm.account("Kestrel Foods")
    crm.contact("Ida Novák", account=labs, email="ida@kestrel.example")
    crm.contact("Jo Park", account=labs, email="jo@kestrel.example")
    crm.contact("Not Here", account=foods, email="not.here@foods.example")
