from tests.agent import Agent


async def perfect(agent: Agent) -> None:
    await agent.confirming("crm_action", entity="invoices", id="Spare parts", action="send")
