from tests.agent import Agent


async def perfect(agent: Agent) -> None:
    await agent(
        "crm_action",
        entity="cases",
        id="Gripper loses pressure",
        action="add_comment",
        params={"comment": "Seal was worn", "is_internal": True},
    )
    await agent.confirming(
        "crm_action",
        entity="cases",
        id="Gripper loses pressure",
        action="close",
        params={"closed_on": "today"},
    )
