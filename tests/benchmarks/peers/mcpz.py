"""django-mcpz: a view with tools, on Django's ORM."""

from __future__ import annotations

from typing import Any

import msgspec
from django.core.asgi import get_asgi_application
from django.http import HttpRequest
from django.urls import path
from django_mcpz.server import MCPServer, public

application = get_asgi_application()

from tests.benchmarks.peers.answer import newest_leads  # noqa: E402  (needs the models)

# The tool resolves the token itself, as those of the other servers do.
server = MCPServer(name="peer", version="1", auth=public)


class Search(msgspec.Struct):
    entity: str
    limit: int = 10


def crm_search(request: HttpRequest, params: Search) -> dict[str, Any]:
    return newest_leads(request.headers["Authorization"], params.limit)


server.tool(name="crm_search", description="Search records.", read_only=True)(crm_search)
urlpatterns = [path("mcp", server)]
