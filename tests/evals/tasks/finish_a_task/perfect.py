from tests.agent import Agent


async def perfect(agent: Agent) -> None:
    await agent("crm_update", entity="tasks", id="Call Initech back", data={"status": "Completed"})
