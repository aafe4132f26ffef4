from tests.agent import Agent


async def perfect(agent: Agent) -> None:
    await agent(
        "crm_update",
        entity="accounts",
        id="Kestrel Labs",
        data={"custom_fields": {"region": "south"}, "number_of_employees": 120},
    )
