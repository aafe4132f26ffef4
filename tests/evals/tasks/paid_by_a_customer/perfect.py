from tests.agent import Agent


async def perfect(agent: Agent) -> str:
    found = await agent(
        "crm_summarize",
        entity="invoices",
        group_by=["currency"],
        measures=["sum:amount_paid"],
        filters={"account": "Delta Freight"},
    )
    return "; ".join(f"{each['currency']} {each['sum:amount_paid']}" for each in found["groups"])
