from tests.agent import Agent


async def perfect(agent: Agent) -> None:
    await agent(
        "crm_create",
        entity="contacts",
        data={
            "first_name": "Paolo",
            "last_name": "Ricci",
            "title": "Purchasing manager",
            "email": "paolo@marsh.example",
            "phone": "+39 02 5550 1234",
            "account": "Marsh Packaging",
        },
    )
