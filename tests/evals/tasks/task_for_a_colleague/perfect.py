from tests.agent import Agent


async def perfect(agent: Agent) -> None:
    await agent(
        "crm_create",
        entity="tasks",
        data={
            "title": "Send a replacement",
            "status": "New",
            "priority": "High",
            "due_date": "tomorrow",
            "case": "Wrong part delivered",
            "assigned_to": ["Kim Larsen"],
        },
    )
