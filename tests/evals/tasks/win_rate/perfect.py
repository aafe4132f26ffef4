from tests.agent import Agent


async def perfect(agent: Agent) -> str:
    found = await agent(
        "crm_summarize",
        entity="opportunities",
        measures=["share:stage=CLOSED_WON"],
        filters={"is_open": False},
    )
    return f"{float(found['total']['share:stage=CLOSED_WON']) * 100:.1f} %"
