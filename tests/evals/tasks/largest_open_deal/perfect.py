from tests.agent import Agent


async def perfect(agent: Agent) -> str:
    found = await agent(
        "crm_search",
        entity="opportunities",
        filters={"is_open": True, "currency": "USD"},
        sort="-amount",
        limit=1,
    )
    first = found["records"][0]
    return f"{first['name']}, {first['account']['name']}, {first['amount']}"
