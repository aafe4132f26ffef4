from tests.evals.seeding import World, day


def seed(crm: World) -> None:
    for title in ("Call Ada", "Call Ben", "Call Cyd", "Call Dee", "Call Eve"):
        crm.task(title, due_date=day(-90), assigned_to=["sam"])
