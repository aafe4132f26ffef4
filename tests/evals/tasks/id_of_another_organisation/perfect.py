from tests.agent import Agent


async def perfect(agent: Agent) -> str:
    got = await agent("crm_get", entity="cases", id="Mixed up delivery")
    strange = got["record"]["description"].split()[-1]
    error = await agent.refused("crm_get", entity="accounts", id=strange, include=["contacts"])
    return "not found" if error["code"] == "not_found" else str(error)
