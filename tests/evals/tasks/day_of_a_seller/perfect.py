from tests.agent import Agent


async def perfect(agent: Agent) -> str:
    due = await agent(
        "crm_search",
        entity="tasks",
        filters={"assigned_to": "me", "is_open": True, "due_date__lte": "today"},
    )
    await agent(
        "crm_update", entity="tasks", id="Call Eli Marsh back", data={"status": "Completed"}
    )
    await agent(
        "crm_action",
        entity="leads",
        id="Eli Marsh",
        action="add_comment",
        params={"comment": "Wants two packing robots"},
    )
    _, made = await agent.confirming("crm_action", entity="leads", id="Eli Marsh", action="convert")
    deal = made["result"]["opportunity_id"]
    await agent(
        "crm_action",
        entity="opportunities",
        id=deal,
        action="add_line_item",
        params={"name": "Packing robot", "quantity": 2, "unit_price": "6000"},
    )
    await agent(
        "crm_update",
        entity="opportunities",
        id=deal,
        data={"stage": "PROPOSAL", "currency": "USD", "closed_on": "in_14_days"},
    )
    await agent(
        "crm_create",
        entity="tasks",
        data={
            "title": "Send the contract",
            "status": "New",
            "priority": "High",
            "due_date": "tomorrow",
            "opportunity": deal,
            "assigned_to": ["me"],
        },
    )
    open_now = await agent(
        "crm_summarize",
        entity="opportunities",
        measures=["sum:amount"],
        filters={"is_open": True, "assigned_to": "me", "currency": "USD"},
    )
    await agent.confirming("crm_delete", entity="tasks", id="Order new pens")
    titles = ", ".join(each["title"] for each in due["records"])
    return f"Due: {titles}. Pipeline: {open_now['total']}"
