"""langchain-mcp-adapters: the tools of a server as LangChain's own."""

import asyncio
import json
import os

from langchain_mcp_adapters.client import MultiServerMCPClient


async def main() -> None:
    server = {
        "transport": "streamable_http",
        "url": os.environ["MCP_URL"],
        "headers": {"Authorization": f"Bearer {os.environ['MCP_TOKEN']}"},
    }
    tools = {each.name: each for each in await MultiServerMCPClient({"crm": server}).get_tools()}
    found = await tools["crm_search"].ainvoke({"entity": "leads", "limit": 1})
    print(json.dumps({"tools": sorted(tools), "results": [json.dumps(found)]}))


asyncio.run(main())
