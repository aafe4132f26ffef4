from tests.agent import Agent


async def perfect(agent: Agent) -> str:
    found = await agent(
        "crm_summarize",
        entity="opportunities",
        measures=["sum:amount"],
        filters={"assigned_to": "Kim Larsen", "is_open": True},
    )
    return f"Of what I can see, {found['total']['sum:amount']}; there may be more"
