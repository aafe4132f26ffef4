from tests.agent import Agent


async def perfect(agent: Agent) -> None:
    await agent("crm_update", entity="leads", id="Eli Marsh", data={"assigned_to": ["Kim Larsen"]})
    await agent(
        "crm_action",
        entity="leads",
        id="Eli Marsh",
        action="add_comment",
        params={"comment": "Prefers calls after 4 pm"},
    )
