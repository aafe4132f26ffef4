"""CrewAI: its adapter's tools send null for every optional argument."""

import json
import os

from crewai_tools import MCPServerAdapter

server = {
    "url": os.environ["MCP_URL"],
    "transport": "streamable-http",
    "headers": {"Authorization": f"Bearer {os.environ['MCP_TOKEN']}"},
}
with MCPServerAdapter(server) as tools:
    by_name = {tool.name: tool for tool in tools}
    found = by_name["crm_search"].run(entity="leads", limit=1)
    described = by_name["crm_describe"].run(entity="leads")
print(json.dumps({"tools": sorted(by_name), "results": [found, described]}))
