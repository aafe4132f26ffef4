from tests.evals.seeding import World


def seed(crm: World) -> None:
    crm.tag("Trade fair")
    crm.tag("Trade fair 2019")
    crm.lead("Petra Lindt", company_name="Lindt Tools", email="petra@lindt.example")
    crm.lead("Peter Lindner", company_name="Lindner Tool Hire")
    crm.lead("Spam Spamson", company_name="Buy Now")
