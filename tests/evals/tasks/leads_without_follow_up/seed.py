from tests.evals.seeding import World, day


def seed(crm: World) -> None:
    crm.lead("Carla Mendes", company_name="Mendes Bakery", assigned_to=["sam"])
    crm.lead("Victor Hahn", company_name="Hahn Optik", status="in process", assigned_to=["sam"])
    crm.lead("Martin Oye", company_name="Oye Logistics", next_follow_up=day(2), assigned_to=["sam"])
    crm.lead("Paula Closed", company_name="Gone Ltd", status="closed", assigned_to=["sam"])
