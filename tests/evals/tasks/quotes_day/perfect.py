from tests.agent import Agent


async def perfect(agent: Agent) -> str:
    late = await agent(
        "crm_summarize",
        entity="invoices",
        measures=["count", "sum:amount_due"],
        filters={"due_date": "overdue"},
    )
    await agent.confirming(
        "crm_action",
        entity="invoices",
        id="Initech service",
        action="record_payment",
        params={"amount": 1500, "payment_date": "today", "payment_method": "BANK_TRANSFER"},
    )
    deal = {"entity": "opportunities", "id": "Initech rollout"}
    sensors = {"name": "Sensor", "quantity": 10, "unit_price": 350}
    await agent("crm_action", **deal, action="add_line_item", params=sensors)
    setup = {"name": "Setup day", "quantity": 2, "unit_price": 800}
    await agent("crm_action", **deal, action="add_line_item", params=setup)
    await agent("crm_update", **deal, data={"stage": "PROPOSAL", "closed_on": "in_21_days"})
    invoice = await agent(
        "crm_create",
        entity="invoices",
        data={
            "invoice_title": "Rollout, first part",
            "account": "Initech",
            "contact": "Bill Lumbergh",
            "client_name": "Bill Lumbergh",
            "client_email": "bill@initech.example",
            "currency": "USD",
            "due_date": "in_30_days",
            "line_items": [{"name": "Rollout", "quantity": 1, "unit_price": 4000}],
        },
    )
    one = {"entity": "invoices", "id": invoice["id"]}
    await agent(
        "crm_action", **one, action="add_comment", params={"comment": "As agreed on the phone"}
    )
    await agent.confirming("crm_action", **one, action="send")
    task = {"title": "Has Initech paid?", "status": "New", "priority": "Medium"}
    link = {"due_date": "in_31_days", "account": "Initech", "assigned_to": ["me"]}
    await agent("crm_create", entity="tasks", data={**task, **link})
    return f"{late['total']}"
