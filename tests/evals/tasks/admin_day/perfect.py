from tests.agent import Agent


async def perfect(agent: Agent) -> str:
    await agent("crm_create", entity="tags", data={"name": "Expo 2027", "color": "green"})
    team = {"name": "Service", "description": "Service", "members": ["Kim Larsen", "Sam Ortiz"]}
    await agent("crm_create", entity="teams", data=team)
    more = {"tags": {"add": ["Expo 2027"]}}
    await agent("crm_update", entity="leads", id="Carla Mendes", data=more)
    await agent("crm_update", entity="leads", id="Victor Hahn", data=more)
    await agent("crm_update", entity="accounts", id="Hooli", data={"assigned_to": ["Kim Larsen"]})
    load = await agent(
        "crm_summarize", entity="leads", group_by=["assigned_to"], filters={"is_open": True}
    )
    await agent.confirming("crm_delete", entity="leads", id="Test Test")
    article = {"entity": "solutions", "id": "Calibrating the arm"}
    await agent("crm_update", **article, data={"status": "approved"})
    await agent("crm_action", **article, action="publish")
    return "; ".join(
        f"{each['assigned_to']['name']}: {each['count']}"
        for each in load["groups"]
        if each["assigned_to"] != "(none)"
    )
