from tests.agent import Agent


async def perfect(agent: Agent) -> str:
    found = await agent(
        "crm_search",
        entity="opportunities",
        filters={"assigned_to": "me", "is_open": True, "closed_on": "next_30_days"},
    )
    return ", ".join(each["name"] for each in found["records"])
