from tests.agent import Agent


async def perfect(agent: Agent) -> str:
    got = await agent("crm_get", entity="cases", id="Login fails since Monday")
    return got["record"]["description"].split(".")[0]
