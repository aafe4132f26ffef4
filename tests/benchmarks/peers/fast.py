"""FastMCP: a tool on a thread, on Django's ORM."""

from __future__ import annotations

from typing import Any

import django

django.setup()

from fastmcp import FastMCP  # noqa: E402
from fastmcp.server.dependencies import get_http_headers  # noqa: E402

from tests.benchmarks.peers.answer import newest_leads  # noqa: E402

server = FastMCP("peer")


def crm_search(entity: str, limit: int = 10) -> dict[str, Any]:
    """Search records."""
    headers = get_http_headers(include_all=True)
    return newest_leads(headers["authorization"], limit)


server.tool(crm_search)
application = server.http_app(path="/mcp", stateless_http=True, json_response=True)
