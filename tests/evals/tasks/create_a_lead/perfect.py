from tests.agent import Agent


async def perfect(agent: Agent) -> None:
    await agent(
        "crm_create",
        entity="leads",
        data={
            "first_name": "Carla",
            "last_name": "Mendes",
            "company_name": "Mendes Bakery",
            "email": "carla@mendes.example",
            "rating": "hot",
            "next_follow_up": "in_3_days",
            "tags": ["Trade fair"],
            "assigned_to": "me",
        },
    )
