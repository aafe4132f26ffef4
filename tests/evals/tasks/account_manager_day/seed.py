from tests.evals.seeding import World, day


def seed(crm: World) -> None:
    vandelay = crm.account("Vandelay Industries", number_of_employees=75)
    crm.contact("Art Vandelay", account=vandelay, email="art@old.example")
    crm.deal("Latex import", vandelay, amount="43000", stage="PROPOSAL", closed_on=day(40))
    crm.case("Boxes arrive crushed", account=vandelay, priority="High")
    imports = crm.account("Vandelay Imports")
    crm.deal("Latex export", imports, amount="43000", stage="PROPOSAL")
