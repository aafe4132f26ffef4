from tests.agent import Agent


async def perfect(agent: Agent) -> str:
    got = await agent("crm_get", entity="leads", id="Eli Marsh", include=["comments"])
    return got["comments"]["records"][0]["comment"]
