from tests.agent import Agent


async def perfect(agent: Agent) -> str:
    found = await agent(
        "crm_search",
        entity="leads",
        filters={"assigned_to": "me", "is_open": True, "next_follow_up__is_empty": True},
    )
    return ", ".join(each["first_name"] for each in found["records"])
