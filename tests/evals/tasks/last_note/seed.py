from tests.evals.seeding import World


def seed(crm: World) -> None:
    crm.lead("Eli Marsh", company_name="Marsh Packaging", email="eli@marsh.example")
    crm.lead("Eli Marshall", company_name="Marshall & Sons")
    crm.comment("leads", "Eli Marsh", "Met at the fair, wants a catalogue")
    crm.comment("leads", "Eli Marsh", "Called: budget is 12,000, decides in March")
    crm.comment("leads", "Eli Marshall", "Not interested")
