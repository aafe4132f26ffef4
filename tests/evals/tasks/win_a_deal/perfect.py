from tests.agent import Agent


async def perfect(agent: Agent) -> None:
    await agent(
        "crm_update",
        entity="opportunities",
        id="Sensor upgrade",
        data={"stage": "CLOSED_WON", "closed_on": "today", "amount": 48500},
    )
