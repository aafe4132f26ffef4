from tests.evals.seeding import World, day


def seed(crm: World) -> None:
    crm.tag("Renewed")
    pequot = crm.account("Pequot Savings", industry="BANKING")
    gotham = crm.account("Gotham Bank", industry="BANKING")
    mine = {"assigned_to": ["kim"], "opportunity_type": "RENEWAL"}
    crm.deal(
        "Pequot renewal", pequot, amount="23000", stage="NEGOTIATION", closed_on=day(2), **mine
    )
    crm.deal("Gotham renewal", gotham, amount="51000", stage="PROPOSAL", closed_on=day(30), **mine)
    crm.deal("Gotham new vault", gotham, opportunity_type="NEW_BUSINESS", assigned_to=["kim"])
    crm.deal("Sam's renewal", by="sam", assigned_to=["sam"], opportunity_type="RENEWAL")
    crm.task("Prepare Pequot contract", assigned_to=["kim"], due_date=day(0))
