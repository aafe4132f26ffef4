from tests.agent import Agent


async def perfect(agent: Agent) -> None:
    await agent(
        "crm_update",
        entity="opportunities",
        id="Hooli cooling",
        data={"closed_on": "2027-03-31", "probability": 40},
    )
