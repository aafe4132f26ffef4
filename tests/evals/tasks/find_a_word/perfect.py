from tests.agent import Agent


async def perfect(agent: Agent) -> str:
    found = await agent("crm_search", entity="all", query="Zeppelin")
    return ", ".join(each["name"] for each in found["records"])
