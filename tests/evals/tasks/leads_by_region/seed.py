from tests.evals.seeding import World


def seed(crm: World) -> None:
    crm.field("Lead", "region", "north", "south")
    for number in range(4):
        crm.lead(f"North Lead{number}", custom_fields={"region": "north"})
    for number in range(2):
        crm.lead(f"South Lead{number}", custom_fields={"region": "south"})
    crm.lead("Nowhere Lead")
