from tests.agent import Agent


async def perfect(agent: Agent) -> None:
    await agent.declining("crm_delete", entity="contacts", id="Bo Lund")
