from tests.agent import Agent
from tests.evals.seeding import day


async def perfect(agent: Agent) -> str:
    new = await agent("crm_search", entity="cases", filters={"status": "New"})
    fire = {"entity": "cases", "id": "Robot is on fire"}
    urgent = {"priority": "Urgent", "status": "Assigned", "assigned_to": ["Kim Larsen"]}
    await agent("crm_update", **fire, data=urgent)
    await agent(
        "crm_update",
        entity="cases",
        id="Price of a gripper?",
        data={
            "priority": "Low",
            "case_type": "Question",
            "status": "Assigned",
            "assigned_to": ["Sam Ortiz"],
        },
    )
    await agent(
        "crm_action",
        entity="cases",
        id="Crash after firmware 2.1",
        action="link_parent",
        params={"parent": "Firmware 2.1 crashes"},
    )
    crash = {"entity": "cases", "id": "Firmware 2.1 crashes"}
    await agent("crm_update", **crash, data={"is_problem": True, "priority": "High"})
    task = {"title": "Call the customer", "status": "New", "priority": "High"}
    call = {**task, "due_date": "today", "case": "Robot is on fire", "assigned_to": ["Kim Larsen"]}
    await agent("crm_create", entity="tasks", data=call)
    spent = {"started_at": f"{day(0)}T09:00:00Z", "ended_at": f"{day(0)}T09:30:00Z"}
    entry = {**spent, "description": "First call", "billable": True}
    await agent("crm_action", **fire, action="log_time", params=entry)
    text = {"title": "Downgrade to 2.0", "description": "Install 2.0 from the stick."}
    await agent("crm_create", entity="solutions", data=text)
    linked = {"solution_id": "Downgrade to 2.0"}
    await agent("crm_action", **crash, action="link_solution", params=linked)
    load = await agent(
        "crm_summarize", entity="cases", group_by=["assigned_to"], filters={"is_open": True}
    )
    names = ", ".join(each["name"] for each in new["records"])
    counts = "; ".join(
        f"{each['assigned_to']['name']}: {each['count']}"
        for each in load["groups"]
        if each["assigned_to"] != "(none)"
    )
    return f"{names}. {counts}"
