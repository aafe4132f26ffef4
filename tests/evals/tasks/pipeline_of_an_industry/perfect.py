from tests.agent import Agent


async def perfect(agent: Agent) -> str:
    found = await agent(
        "crm_summarize",
        entity="opportunities",
        measures=["sum:amount"],
        filters={"is_open": True, "account.industry": "BANKING"},
    )
    return f"{found['total']}"
