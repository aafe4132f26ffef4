"""openai-agents: each tool with its schema made strict, every argument of which is then sent."""

import asyncio
import json
import os
from typing import Any

from agents import Agent, RunContextWrapper
from agents.mcp import MCPServerStreamableHttp, MCPUtil
from agents.tool_context import ToolContext


async def main() -> None:
    headers = {"Authorization": f"Bearer {os.environ['MCP_TOKEN']}"}
    params: Any = {"url": os.environ["MCP_URL"], "headers": headers}
    async with MCPServerStreamableHttp(params=params) as server:
        agent = Agent(name="bottlecrm", mcp_servers=[server])
        context = RunContextWrapper(context=None)
        tools = await MCPUtil.get_function_tools(server, True, context, agent)
        by_name: dict[str, Any] = {each.name: each for each in tools}
        search = by_name["crm_search"]
        names = search.params_json_schema["properties"]
        given = dict.fromkeys(names) | {"entity": "leads", "limit": 1}
        text = json.dumps(given)
        called: Any = ToolContext(
            context=None, tool_name=search.name, tool_call_id="1", tool_arguments=text
        )
        found = await search.on_invoke_tool(called, text)
    print(json.dumps({"tools": sorted(by_name), "results": [json.dumps(found)]}))


asyncio.run(main())
