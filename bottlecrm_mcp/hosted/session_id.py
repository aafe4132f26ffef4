"""Session id of the older revisions: what a client with forms or cards declared, signed.

On those a client says once, at `initialize`, what it can do, and sends the id that it was given
with each later request. The id itself holds what was said, so that any process can read it and none
has to keep it. Clients without either are given none. An id grants nothing, and one that can't be
read counts for none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core import signing
from django.http import HttpRequest

from bottlecrm_mcp.gateway.base import Caller
from bottlecrm_mcp.hosted.errors import Headers, ascii_headers
from bottlecrm_mcp.protocol import older_forms
from bottlecrm_mcp.protocol.cards.extension import is_declared

HEADER = "Mcp-Session-Id"
SALT = "bottlecrm_mcp.session_id"
REVISIONS_WITHOUT_FORMS = ("2024-11-05", "2025-03-26")
# Characters of a client's name and version.
LONGEST = 80


@dataclass(frozen=True)
class Declared:
    """Name and version of a client, and what it said that it shows."""

    client: str = ""
    forms: bool = False
    cards: bool = False


def headers(message: Mapping[str, Any], caller: Caller) -> Headers:
    """The id of a client with forms or cards, in the answer to its `initialize`; else nothing."""
    params = message.get("params")
    if message.get("method") != "initialize" or not isinstance(params, dict):
        return []
    has_forms = params.get("protocolVersion") not in REVISIONS_WITHOUT_FORMS
    forms = has_forms and older_forms.are_declared(params)
    capabilities = params.get("capabilities")
    cards = isinstance(capabilities, dict) and is_declared(capabilities.get("extensions"))
    if not (forms or cards):
        return []
    session_id = signing.dumps([caller.token_id, _client(params), forms, cards], salt=SALT)
    return ascii_headers([(HEADER, session_id)])


def declared_by(request: HttpRequest, caller: Caller) -> Declared:
    """What the client said that this comes from; nothing of any that has no id of this token's."""
    session_id = request.META.get("HTTP_MCP_SESSION_ID", "")
    if not session_id:
        return Declared()
    try:
        token_id, *said = signing.loads(session_id, salt=SALT)
        declared = Declared(*said)
    except (signing.BadSignature, TypeError, ValueError):
        return Declared()
    return declared if token_id == caller.token_id else Declared()


def _client(params: Mapping[str, Any]) -> str:
    info = params.get("clientInfo")
    named = info if isinstance(info, dict) else {}
    return f"{named.get('name', '')} {named.get('version', '')}".strip()[:LONGEST]
