from tests.agent import Agent


async def perfect(agent: Agent) -> str:
    deals = "opportunities"
    found = await agent("crm_search", entity=deals, filters={"assigned_to": "Lee Novak"})
    [deal] = found["records"]
    await agent("crm_update", entity=deals, id=deal["id"], data={"assigned_to": ["Kim Larsen"]})
    error = await agent.refused(
        "crm_update", entity=deals, id="Lease renewal 2", data={"assigned_to": ["Lee Novak"]}
    )
    return f"Lee can't be assigned: {error['message']}"
