from tests.agent import Agent


async def perfect(agent: Agent) -> str:
    found = await agent("crm_search", entity="contacts", filters={"phone": "030 600123456"})
    return " ".join(found["records"][0][each] for each in ("first_name", "last_name"))
