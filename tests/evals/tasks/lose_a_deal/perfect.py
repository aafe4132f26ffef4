from tests.agent import Agent


async def perfect(agent: Agent) -> None:
    await agent(
        "crm_update",
        entity="opportunities",
        id="Fence for plant 2",
        data={"stage": "CLOSED_LOST", "closed_on": "yesterday"},
    )
    await agent(
        "crm_action",
        entity="opportunities",
        id="Fence for plant 2",
        action="add_comment",
        params={"comment": "Lost to a cheaper offer"},
    )
