from tests.agent import Agent


async def perfect(agent: Agent) -> None:
    found = await agent(
        "crm_search",
        entity="contacts",
        query="Anna Schmidt",
        filters={"account": "Kestrel Labs"},
    )
    await agent(
        "crm_update",
        entity="contacts",
        id=found["records"][0]["id"],
        data={"phone": "+49 40 9999 100"},
    )
