from tests.agent import Agent


async def perfect(agent: Agent) -> str:
    await agent("crm_update", entity="leads", id="Victor Hahn", data={"status": "in process"})
    error = await agent.refused(
        "crm_update", entity="accounts", id="Hahn Optik", data={"phone": "+49 89 555 77"}
    )
    return f"The account was not changed: {error['message']}"
