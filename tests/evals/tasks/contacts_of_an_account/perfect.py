from tests.agent import Agent


async def perfect(agent: Agent) -> str:
    found = await agent(
        "crm_search",
        entity="contacts",
        filters={"account": "Kestrel Labs"},
        fields=["first_name", "last_name", "email"],
    )
    return "; ".join(
        f"{each['first_name']} {each['last_name']} {each['email']}" for each in found["records"]
    )
