from tests.agent import Agent


async def perfect(agent: Agent) -> str:
    return await agent.declining(
        "crm_action", entity="invoices", id="Robots, second half", action="send"
    )
