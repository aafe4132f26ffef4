from tests.agent import Agent


async def perfect(agent: Agent) -> str:
    found = await agent(
        "crm_search",
        entity="contacts",
        query="Anna Schmidt",
        filters={"account": "Kestrel Labs"},
        fields=["phone"],
    )
    return found["records"][0]["phone"]
