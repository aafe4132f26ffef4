from tests.agent import Agent


async def perfect(agent: Agent) -> None:
    await agent(
        "crm_update", entity="accounts", id="Acme Corp", data={"tags": {"add": ["Key account"]}}
    )
