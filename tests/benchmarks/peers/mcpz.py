"""django-mcpz: a view with tools, on Django's ORM."""

from __future__ import annotations

from typing import Any

import msgspec
from django.core.asgi import get_asgi_application
from django.http import HttpRequest
from django.urls import path
from django_mcpz.server import MCPServer, public

from tests.benchmarks.peers.answer import newest_leads

application = get_asgi_application()
# The tool resolves the token itself, as those of the other servers do.
server = MCPServer(name="peer", version="1", auth=public)


class Search(msgspec.Struct):
    entity: str
    limit: int = 10


@server.tool(name="crm_search", description="Search records.", read_only=True)
def crm_search(request: HttpRequest, params: Search) -> dict[str, Any]:
    return newest_leads(request.headers["Authorization"], params.limit)


urlpatterns = [path("mcp", server)]
