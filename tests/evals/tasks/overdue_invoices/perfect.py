from tests.agent import Agent


async def perfect(agent: Agent) -> str:
    found = await agent(
        "crm_summarize",
        entity="invoices",
        group_by=["account"],
        measures=["sum:amount_due"],
        filters={"due_date": "overdue"},
    )
    most = max(found["groups"], key=lambda each: float(each["sum:amount_due"]))
    return f"{most['account']['name']}: {most['sum:amount_due']}"
