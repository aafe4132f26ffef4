from tests.evals.seeding import World, day


def seed(crm: World) -> None:
    crm.task("Send the contract", due_date=day(1), assigned_to=["sam"], priority="High")
    crm.task("Book the train", due_date=day(1), assigned_to=["sam", "kim"])
    crm.task("Pack for the fair", due_date=day(2), assigned_to=["sam"])
    crm.task("Done already", due_date=day(1), assigned_to=["sam"], status="Completed")
    crm.task("Kim's own", due_date=day(1), assigned_to=["kim"])
