from tests.evals.seeding import World, day


def seed(crm: World) -> None:
    acme = crm.account("Acme Corp")
    crm.case("Arm stops after warm-up", account=acme, priority="Urgent")
    crm.case("Gripper loses pressure", account=acme, priority="High", status="Assigned")
    crm.case("Wrong part delivered", account=acme, priority="High", status="Pending")
    crm.case("Manual in Spanish", priority="Low", status="Rejected")
    crm.case("Firmware update fails", priority="Urgent", status="Closed", closed_on=day(-4))
    for number in range(5):
        crm.case(f"Question {number}", priority="Normal")
