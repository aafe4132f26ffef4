from tests.agent import Agent


async def perfect(agent: Agent) -> str:
    deals = "opportunities"
    mine = {"assigned_to": "me", "is_open": True, "opportunity_type": "RENEWAL"}
    found = await agent("crm_search", entity=deals, filters=mine)
    won = {"stage": "CLOSED_WON", "closed_on": "today", "amount": 24000}
    await agent("crm_update", entity=deals, id="Pequot renewal", data=won)
    gotham = {"entity": deals, "id": "Gotham renewal"}
    await agent("crm_update", **gotham, data={"stage": "NEGOTIATION", "probability": 75})
    note = {"comment": "Waiting for legal"}
    await agent("crm_action", **gotham, action="add_comment", params=note)
    await agent(
        "crm_create",
        entity=deals,
        data={
            "name": "Pequot renewal next year",
            "account": "Pequot Savings",
            "amount": 25000,
            "currency": "USD",
            "opportunity_type": "RENEWAL",
            "stage": "PROSPECTING",
            "closed_on": "in_365_days",
            "assigned_to": ["me"],
        },
    )
    tag = {"tags": {"add": ["Renewed"]}}
    await agent("crm_update", entity="accounts", id="Pequot Savings", data=tag)
    done = {"status": "Completed"}
    await agent("crm_update", entity="tasks", id="Prepare Pequot contract", data=done)
    task = {"title": "Start Pequot renewal", "status": "New", "priority": "Medium"}
    link = {"due_date": "in_300_days", "account": "Pequot Savings", "assigned_to": ["me"]}
    await agent("crm_create", entity="tasks", data={**task, **link})
    return ", ".join(each["name"] for each in found["records"])
