from tests.evals.seeding import World, day


def seed(crm: World) -> None:
    crm.task("Call Initech back", due_date=day(0), assigned_to=["sam"], priority="High")
    crm.task("Call Initrode back", due_date=day(0), assigned_to=["sam"])
    crm.task("Visit Initech", due_date=day(9), assigned_to=["sam"])
