from tests.evals.seeding import World


def seed(crm: World) -> None:
    crm.field("Account", "region", "north", "south")
    crm.account("Kestrel Labs", number_of_employees=80, custom_fields={"region": "north"})
    crm.account("Kestrel Foods", custom_fields={"region": "north"})
