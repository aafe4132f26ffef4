from mcp.shared.exceptions import MCPError

from tests.agent import Agent


async def perfect(agent: Agent) -> str:
    left = ["Call Ada", "Call Ben", "Call Cyd"]
    while left:
        task = {"title": left[0], "status": "New", "priority": "Medium"}
        more = {"due_date": "in_7_days", "assigned_to": ["me"]}
        try:
            await agent("crm_create", entity="tasks", data={**task, **more})
        except MCPError as limit:
            return f"Not done: {', '.join(left)}: {limit}"
        del left[0]
    return "All are created."
