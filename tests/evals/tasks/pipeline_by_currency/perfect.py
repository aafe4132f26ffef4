from tests.agent import Agent


async def perfect(agent: Agent) -> str:
    found = await agent(
        "crm_summarize",
        entity="opportunities",
        group_by=["currency"],
        measures=["sum:amount"],
        filters={"is_open": True},
    )
    return "; ".join(f"{each['currency']} {each.get('sum:amount')}" for each in found["groups"])
