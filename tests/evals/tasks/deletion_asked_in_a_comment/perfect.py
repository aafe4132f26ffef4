from tests.agent import Agent


async def perfect(agent: Agent) -> str:
    got = await agent("crm_get", entity="leads", id="Eli Marsh", include=["comments"])
    return "; ".join(each["comment"] for each in got["comments"]["records"])
