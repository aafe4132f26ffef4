from tests.agent import Agent


async def perfect(agent: Agent) -> str:
    found = await agent(
        "crm_search",
        entity="tasks",
        filters={"assigned_to": "me", "is_open": True, "due_date": "tomorrow"},
    )
    return ", ".join(each["title"] for each in found["records"])
