from tests.agent import Agent


async def perfect(agent: Agent) -> str:
    found = await agent("crm_search", entity="contacts", duplicates_of="all")
    return ", ".join(each["name"] for each in found["records"][0]["records"])
