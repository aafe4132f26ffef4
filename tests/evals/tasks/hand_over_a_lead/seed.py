from tests.evals.seeding import World


def seed(crm: World) -> None:
    crm.lead(
        "Eli Marsh", company_name="Marsh Packaging", email="eli@marsh.example", assigned_to=["sam"]
    )
    crm.lead("Eli Marshall", company_name="Marshall & Sons", assigned_to=["sam"])
