from tests.evals.seeding import World, day


def seed(crm: World) -> None:
    crm.lead(
        "Eli Marsh",
        company_name="Marsh Packaging",
        email="eli@marsh.example",
        assigned_to=["sam"],
        opportunity_amount="10000",
    )
    crm.task("Call Eli Marsh back", due_date=day(0), assigned_to=["sam"], priority="High")
    crm.task("Order new pens", due_date=day(-2), assigned_to=["sam"], priority="Low")
    crm.task("Prepare the fair", due_date=day(30), assigned_to=["sam"])
    crm.task("Call Eli Marsh back about the visit", due_date=day(3), by="kim", assigned_to=["kim"])
    crm.deal(
        "Fence", crm.account("Hooli"), amount="5000", stage="QUALIFICATION", assigned_to=["sam"]
    )
