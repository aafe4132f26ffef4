from tests.agent import Agent


async def perfect(agent: Agent) -> str:
    got = await agent(
        "crm_get",
        entity="accounts",
        id="Vandelay Industries",
        include=["opportunities", "cases", "invoices"],
    )
    [deal], [case] = got["opportunities"]["records"], got["cases"]["records"]
    [invoice] = got["invoices"]["records"]
    return f"{deal['name']} {deal['amount']}; {case['name']}; {invoice['amount_due']} due"
