from tests.agent import Agent


async def perfect(agent: Agent) -> str:
    deals, is_open = {"entity": "opportunities"}, {"is_open": True}
    value = ["sum:amount"]
    stages = await agent(
        "crm_summarize", **deals, group_by=["stage"], measures=value, filters=is_open
    )
    won = "share:stage=CLOSED_WON"
    share = await agent("crm_summarize", **deals, measures=[won], filters={"is_open": False})
    people = await agent("crm_summarize", **deals, group_by=["assigned_to"], filters=is_open)
    largest = await agent("crm_search", **deals, filters=is_open, sort="-amount", limit=3)
    soon = {"is_open": True, "closed_on": "next_14_days"}
    closing = await agent("crm_search", **deals, filters=soon)
    hot = await agent("crm_search", entity="leads", filters={"rating": "HOT"})
    monster = {**deals, "id": "Monster deal"}
    await agent("crm_update", **monster, data={"probability": 10})
    note = {"comment": "Reviewed on Monday"}
    await agent("crm_action", **monster, action="add_comment", params=note)
    task = {"title": "Explain the monster deal", "status": "New", "priority": "Medium"}
    link = {"due_date": "tomorrow", "opportunity": "Monster deal", "assigned_to": ["Kim Larsen"]}
    await agent("crm_create", entity="tasks", data={**task, **link})
    found = [*largest["records"], *closing["records"]]
    return (
        f"{stages['groups']}; won {float(share['total'][won]) * 100} %; "
        + ", ".join(f"{each['assigned_to']['name']}: {each['count']}" for each in people["groups"])
        + ", ".join(each["name"] for each in found)
        + ", ".join(each["last_name"] for each in hot["records"])
    )
