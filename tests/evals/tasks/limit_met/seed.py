from tests.evals.seeding import World, day


def seed(crm: World) -> None:
    crm.task("Call D", due_date=day(7), assigned_to=["sam"])
