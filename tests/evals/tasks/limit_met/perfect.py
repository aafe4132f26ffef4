from tests.agent import Agent


async def perfect(agent: Agent) -> str:
    left = ["Call Ada", "Call Ben", "Call Cyd", "Call Dee"]
    for title in left[:2]:
        await agent.confirming("crm_delete", entity="tasks", id=title)
        left.remove(title)
    limit = await agent.refused("crm_delete", entity="tasks", id=left[0], confirm=True)
    assert limit["code"] == "limit_reached", limit
    return f"Not deleted: {', '.join(left)}. {limit['message']}"
