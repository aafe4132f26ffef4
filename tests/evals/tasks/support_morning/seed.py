from tests.evals.seeding import World, day


def seed(crm: World) -> None:
    acme = crm.account("Acme Corp")
    ann = crm.contact("Ann Berg", account=acme, email="ann@acme.example")
    crm.case("Arm stops after warm-up", account=acme, priority="High", contacts=[ann])
    crm.case("Arm stops!!", account=acme, contacts=[ann])
    crm.case("How to reset the controller", account=acme, priority="Low", contacts=[ann])
    crm.case("Wrong part delivered", account=acme, status="Pending", priority="High")
    crm.case("Answered last week", account=acme, status="Closed", closed_on=day(-7))
    crm.solution("Reading the error lights", "Red means heat.")
