"""Session id of the older revisions: what a client with forms declared, signed.

On those a client says once, at `initialize`, what it can do, and sends the id that it was given
with each later request. The id itself holds what was said, so that any process can read it and none
has to keep it. Clients without forms are given none. An id grants nothing, and one that can't be
read counts for none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core import signing
from django.http import HttpRequest

from bottlecrm_mcp.gateway.base import Caller
from bottlecrm_mcp.hosted.errors import Headers, ascii_headers
from bottlecrm_mcp.protocol import older_forms

HEADER = "Mcp-Session-Id"
SALT = "bottlecrm_mcp.session_id"
REVISIONS_WITHOUT_FORMS = ("2024-11-05", "2025-03-26")
# Characters of a client's name and version.
LONGEST = 80


def headers(message: Mapping[str, Any], caller: Caller) -> Headers:
    """The id of a client with forms, in the answer to its `initialize`; else nothing."""
    params = message.get("params")
    if message.get("method") != "initialize" or not isinstance(params, dict):
        return []
    revision = params.get("protocolVersion")
    if revision in REVISIONS_WITHOUT_FORMS or not older_forms.are_declared(params):
        return []
    session_id = signing.dumps([caller.token_id, _client(params)], salt=SALT)
    return ascii_headers([(HEADER, session_id)])


def client_of(request: HttpRequest, caller: Caller) -> str | None:
    """Name and version of the client with forms that this comes from; None for any other."""
    try:
        token_id, client = signing.loads(request.headers.get(HEADER, ""), salt=SALT)
    except (signing.BadSignature, ValueError):
        return None
    return str(client) if token_id == caller.token_id else None


def _client(params: Mapping[str, Any]) -> str:
    info = params.get("clientInfo")
    named = info if isinstance(info, dict) else {}
    return f"{named.get('name', '')} {named.get('version', '')}".strip()[:LONGEST]
