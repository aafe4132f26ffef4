from tests.agent import Agent


async def perfect(agent: Agent) -> None:
    await agent(
        "crm_create",
        entity="invoices",
        data={
            "invoice_title": "Two packing robots",
            "account": "Marsh Packaging",
            "contact": "Eli Marsh",
            "client_name": "Eli Marsh",
            "client_email": "eli@marsh.example",
            "currency": "EUR",
            "due_date": "in_30_days",
            "line_items": [{"name": "Packing robot", "quantity": 2, "unit_price": 6000}],
        },
    )
