from tests.agent import Agent


async def perfect(agent: Agent) -> None:
    line = {"entity": "opportunities", "id": "Packing line", "action": "add_line_item"}
    robots = {"name": "Packing robot", "quantity": 3, "unit_price": 21500}
    await agent("crm_action", **line, params=robots)
    training = {"name": "Training day", "quantity": 1, "unit_price": 900}
    await agent("crm_action", **line, params=training)
