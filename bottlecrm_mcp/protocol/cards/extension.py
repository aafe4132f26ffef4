"""Extension `io.modelcontextprotocol/ui`: who declares it, and what it adds to the tools' list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

EXTENSION = "io.modelcontextprotocol/ui"
MIME_TYPE = "text/html;profile=mcp-app"
SCHEME = "ui://"
ADDRESS = "ui://bottlecrm/{kind}.html"
# What the cards declare of themselves, as the server's side of the extension.
SERVER_CAPABILITY: dict[str, dict[str, Any]] = {EXTENSION: {"mimeTypes": [MIME_TYPE]}}

CARD_OF = {
    "crm_search": "list",
    "crm_summarize": "chart",
    "crm_get": "record",
    "crm_create": "change",
    "crm_update": "change",
    "crm_delete": "change",
    "crm_action": "change",
}

ANSWER = "crm_confirm"
# Hosts keep it from the model, who could not call it anyway: the seal is in a card's data alone.
ANSWER_ENTRY: dict[str, Any] = {
    "name": ANSWER,
    "title": "Answer a confirmation",
    "description": "What the person pressed on the card of a confirmation.",
    "inputSchema": {
        "type": "object",
        "properties": {
            "tool": {"type": "string"},
            "arguments": {"type": "object"},
            "seal": {"type": "string", "minLength": 1, "maxLength": 200},
            "agreed": {"type": "boolean"},
        },
        "required": ["tool", "arguments", "seal", "agreed"],
        "additionalProperties": False,
    },
    "outputSchema": {"type": "object"},
    "annotations": {
        "title": "Answer a confirmation",
        "readOnlyHint": False,
        "destructiveHint": True,
        "idempotentHint": False,
        "openWorldHint": True,
    },
    "_meta": {"ui": {"visibility": ["app"]}},
}


def is_declared(extensions: Any) -> bool:
    """Whether these extensions of a client's capabilities say that it shows cards."""
    settings = extensions.get(EXTENSION) if isinstance(extensions, Mapping) else None
    kinds = settings.get("mimeTypes") if isinstance(settings, Mapping) else None
    return isinstance(kinds, list | tuple) and MIME_TYPE in kinds


def tool_meta(tool_name: str) -> dict[str, Any]:
    """`_meta` of a tool in the list, for a client that shows cards."""
    kind = CARD_OF.get(tool_name)
    return {"ui": {"resourceUri": ADDRESS.format(kind=kind)}} if kind else {}
