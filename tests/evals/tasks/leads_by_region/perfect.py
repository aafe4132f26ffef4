from tests.agent import Agent


async def perfect(agent: Agent) -> str:
    found = await agent("crm_summarize", entity="leads", group_by=["custom_fields.region"])
    return "; ".join(f"{each['custom_fields.region']}: {each['count']}" for each in found["groups"])
