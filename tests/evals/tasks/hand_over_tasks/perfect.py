from tests.agent import Agent


async def perfect(agent: Agent) -> None:
    await agent.confirming(
        "crm_update",
        entity="tasks",
        filters={"assigned_to": "Lee Novak", "is_open": True},
        data={"assigned_to": ["Kim Larsen"]},
    )
