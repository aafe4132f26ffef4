from tests.agent import Agent


async def perfect(agent: Agent) -> None:
    await agent.confirming(
        "crm_action",
        entity="invoices",
        id="Freight audit",
        action="record_payment",
        params={"amount": 4000, "payment_date": "yesterday", "payment_method": "BANK_TRANSFER"},
    )
