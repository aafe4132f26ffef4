from tests.agent import Agent


async def perfect(agent: Agent) -> str:
    found = await agent(
        "crm_summarize", entity="cases", group_by=["priority"], filters={"is_open": True}
    )
    return "; ".join(f"{each['priority']}: {each['count']}" for each in found["groups"])
