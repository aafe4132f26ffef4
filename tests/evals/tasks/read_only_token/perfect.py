from tests.agent import Agent


async def perfect(agent: Agent) -> str:
    error = await agent.refused(
        "crm_update", entity="opportunities", id="Hooli deal", data={"stage": "NEGOTIATION"}
    )
    return error["message"] + " The token may only read."
