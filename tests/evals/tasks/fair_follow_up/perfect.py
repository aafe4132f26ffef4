from tests.agent import Agent


async def perfect(agent: Agent) -> str:
    lead = {"tags": ["Trade fair"], "assigned_to": "me", "status": "assigned"}
    nora = await agent(
        "crm_create",
        entity="leads",
        data={
            **lead,
            "first_name": "Nora",
            "last_name": "Quist",
            "company_name": "Quist Dairy",
            "email": "nora@quist.example",
            "source": "other",
            "rating": "HOT",
            "next_follow_up": "tomorrow",
        },
    )
    tom = await agent(
        "crm_create",
        entity="leads",
        data={
            **lead,
            "first_name": "Tom",
            "last_name": "Aru",
            "company_name": "Aru Timber",
            "email": "tom@aru.example",
            "rating": "WARM",
            "next_follow_up": "in_7_days",
        },
    )
    [petra] = (await agent("crm_search", entity="leads", query="Lindt Tools"))["records"]
    note = {"comment": "Met at the fair, wants a demo"}
    await agent("crm_action", entity="leads", id=petra["id"], action="add_comment", params=note)
    await agent("crm_update", entity="leads", id=petra["id"], data={"status": "in process"})
    task = {"status": "New", "priority": "High", "due_date": "tomorrow", "assigned_to": ["me"]}
    call = {**task, "title": "Call Nora Quist", "lead": nora["id"]}
    await agent("crm_create", entity="tasks", data=call)
    send = {"title": "Send the catalogue", "lead": tom["id"], "assigned_to": ["Kim Larsen"]}
    later = {"priority": "Medium", "due_date": "in_2_days"}
    await agent("crm_create", entity="tasks", data={**task, **later, **send})
    mine = {"assigned_to": "me", "tags": "Trade fair"}
    tagged = await agent("crm_summarize", entity="leads", filters=mine)
    await agent.confirming("crm_delete", entity="leads", id="Spam Spamson")
    return f"{tagged['total']['count']}"
