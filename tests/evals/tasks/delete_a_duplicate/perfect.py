from tests.agent import Agent


async def perfect(agent: Agent) -> None:
    found = await agent("crm_search", entity="leads", query="c.mendes@mendes.example")
    await agent.confirming("crm_delete", entity="leads", id=found["records"][0]["id"])
