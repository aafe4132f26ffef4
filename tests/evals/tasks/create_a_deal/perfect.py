from tests.agent import Agent


async def perfect(agent: Agent) -> None:
    await agent(
        "crm_create",
        entity="opportunities",
        data={
            "name": "Line 3 automation",
            "account": "Acme Corp",
            "amount": 210000,
            "currency": "EUR",
            "stage": "PROPOSAL",
            "closed_on": "in_45_days",
            "assigned_to": "me",
        },
    )
