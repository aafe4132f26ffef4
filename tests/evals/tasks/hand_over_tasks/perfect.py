from tests.agent import Agent


async def perfect(agent: Agent) -> None:
    found = await agent(
        "crm_search", entity="tasks", filters={"assigned_to": "Lee Novak", "is_open": True}
    )
    for each in found["records"]:
        await agent(
            "crm_update", entity="tasks", id=each["id"], data={"assigned_to": ["Kim Larsen"]}
        )
