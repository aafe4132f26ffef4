from tests.agent import Agent


async def perfect(agent: Agent) -> str:
    found = await agent(
        "crm_search",
        entity="tasks",
        filters={"assigned_to": "Kim Larsen", "due_date": "overdue"},
    )
    return f"{found['total']}"
