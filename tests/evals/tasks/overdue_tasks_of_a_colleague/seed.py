from tests.evals.seeding import World, day


def seed(crm: World) -> None:
    crm.task("Send samples", due_date=day(-1), assigned_to=["kim"])
    crm.task(
        "Update price list", due_date=day(-30), assigned_to=["kim", "sam"], status="In Progress"
    )
    crm.task("Visit report", due_date="2024-02-29", assigned_to=["kim"])
    crm.task("Finished late", due_date=day(-5), assigned_to=["kim"], status="Completed")
    crm.task("Due today", due_date=day(0), assigned_to=["kim"])
    crm.task("Sam is late", due_date=day(-2), assigned_to=["sam"])
