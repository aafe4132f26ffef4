from tests.evals.seeding import World, day


def seed(crm: World) -> None:
    crm.task("Renew the lease", due_date=day(5), assigned_to=["lee"])
    crm.task("Order labels", due_date=day(-3), assigned_to=["lee"], status="In Progress")
    crm.task("Answer the tender", due_date=day(12), assigned_to=["lee"], priority="High")
    crm.task("Old report", due_date=day(-30), assigned_to=["lee"], status="Completed")
    crm.task("Sam's job", due_date=day(2), assigned_to=["sam"])
