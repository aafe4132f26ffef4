from tests.agent import Agent


async def perfect(agent: Agent) -> str:
    new = await agent("crm_search", entity="cases", filters={"status": "New"})
    arm = {"entity": "cases", "id": "Arm stops after warm-up"}
    taken = {"status": "Assigned", "assigned_to": ["me", "Sam Ortiz"]}
    await agent("crm_update", **arm, data=taken)
    note = {"comment": "Smells of burnt varnish", "is_internal": True}
    await agent("crm_action", **arm, action="add_comment", params=note)
    await agent.confirming(
        "crm_action",
        entity="cases",
        id="Arm stops!!",
        action="merge",
        params={"into": "Arm stops after warm-up"},
    )
    await agent(
        "crm_create",
        entity="tasks",
        data={
            "title": "Send a new controller",
            "status": "New",
            "priority": "High",
            "due_date": "tomorrow",
            "case": "Arm stops after warm-up",
            "assigned_to": ["Sam Ortiz"],
        },
    )
    lights = {"solution_id": "Reading the error lights"}
    await agent("crm_action", **arm, action="link_solution", params=lights)
    await agent.confirming(
        "crm_action",
        entity="cases",
        id="How to reset the controller",
        action="close",
        params={"closed_on": "today"},
    )
    await agent(
        "crm_update", entity="cases", id="Wrong part delivered", data={"priority": "Urgent"}
    )
    left = await agent("crm_summarize", entity="cases", filters={"is_open": True})
    names = ", ".join(each["name"] for each in new["records"])
    return f"New: {names}. Open: {left['total']['count']}"
