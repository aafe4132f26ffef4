from tests.agent import Agent


async def perfect(agent: Agent) -> str:
    account = {"entity": "accounts", "id": "Vandelay Industries"}
    brief = await agent("crm_get", **account, include=["opportunities", "cases"])
    await agent(
        "crm_update",
        entity="contacts",
        id="Art Vandelay",
        data={"email": "art@vandelay.example"},
    )
    await agent(
        "crm_create",
        entity="contacts",
        data={
            "first_name": "Susan",
            "last_name": "Ross",
            "title": "Head of purchasing",
            "email": "susan@vandelay.example",
            "account": "Vandelay Industries",
        },
    )
    raised = {"amount": 52000, "stage": "NEGOTIATION"}
    await agent("crm_update", entity="opportunities", id="Latex import", data=raised)
    note = {"comment": "New head of purchasing: Susan Ross"}
    await agent("crm_action", **account, action="add_comment", params=note)
    await agent(
        "crm_create",
        entity="tasks",
        data={
            "title": "Visit Vandelay",
            "status": "New",
            "priority": "Medium",
            "due_date": "in_14_days",
            "account": "Vandelay Industries",
            "assigned_to": ["me"],
        },
    )
    size = {"industry": "APPAREL & ACCESSORIES", "number_of_employees": 80}
    await agent("crm_update", **account, data=size)
    invoice = await agent(
        "crm_create",
        entity="invoices",
        data={
            "invoice_title": "Latex samples",
            "account": "Vandelay Industries",
            "contact": "Susan Ross",
            "client_name": "Susan Ross",
            "client_email": "susan@vandelay.example",
            "currency": "USD",
            "due_date": "in_14_days",
            "line_items": [{"name": "Latex samples", "quantity": 1, "unit_price": 1250}],
        },
    )
    await agent.confirming("crm_action", entity="invoices", id=invoice["id"], action="send")
    parts = [*brief["opportunities"]["records"], *brief["cases"]["records"]]
    return ", ".join(each["name"] for each in parts)
