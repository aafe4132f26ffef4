from tests.evals.seeding import World, day


def seed(crm: World) -> None:
    first = crm.account("Gotham Bank", industry="BANKING")
    second = crm.account("Pequot Savings", industry="BANKING")
    crm.deal("Vault robots", first, amount="60000", stage="PROPOSAL")
    crm.deal("Counter robots", second, amount="15500.25", stage="QUALIFICATION")
    crm.deal("Coin sorter", second, amount="8000", stage="CLOSED_LOST", closed_on=day(-1))
    crm.deal("Bank of sand", crm.account("Sandbank Ltd", industry="MANUFACTURING"), amount="70000")
