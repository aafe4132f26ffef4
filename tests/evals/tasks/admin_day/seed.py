from tests.evals.seeding import World


def seed(crm: World) -> None:
    crm.tag("Hot prospects")
    tag = crm.id_of("tags", "Hot prospects")
    crm.lead("Carla Mendes", company_name="Mendes Bakery", tags=[tag], assigned_to=["sam"])
    crm.lead("Victor Hahn", company_name="Hahn Optik", assigned_to=["kim"])
    crm.lead("Test Test", company_name="Test")
    crm.lead("Tess Testa", company_name="Testa Srl", assigned_to=["kim"])
    crm.account("Hooli", assigned_to=["sam"])
    crm.solution("Calibrating the arm", "Turn it off and on.", status="reviewed")
