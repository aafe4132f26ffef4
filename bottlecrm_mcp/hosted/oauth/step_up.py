"""Calls that need more than a connection allows: the client is told to ask the person for it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import mcp_types as types

from bottlecrm_mcp.catalogue.model import Entity
from bottlecrm_mcp.gateway.base import Caller
from bottlecrm_mcp.hosted.oauth.metadata import challenge
from bottlecrm_mcp.protocol.server import failed
from bottlecrm_mcp.tools.crm import lacks_scope
from bottlecrm_mcp.tools.errors import ToolError
from bottlecrm_mcp.tools.registry import Registry
from bottlecrm_mcp.tools.tool import Tool
from pat_tokens.oauth import READ, WRITE, on_wire

META = "mcp/www_authenticate"
DESCRIPTION = "The person has to allow more."


def scopes_of(tool: Tool) -> list[str]:
    """The scopes on the wire without which a tool is of no use."""
    return {"write": [READ, WRITE], "read": [READ]}.get(tool.needs, [])


def security_schemes(tool: Tool) -> list[dict[str, Any]]:
    return [{"type": "oauth2", "scopes": scopes_of(tool)}]


def scope_challenge(caller: Caller, tool: Tool) -> str:
    """The WWW-Authenticate value: all that the call needs, and what is allowed already."""
    wanted = dict.fromkeys([*on_wire(caller.scopes), *scopes_of(tool)])
    said = {"error": "insufficient_scope", "error_description": DESCRIPTION}
    return f"Bearer {challenge(wanted, **said)}"


def with_challenge(
    result: types.CallToolResult, caller: Caller, tool: Tool
) -> types.CallToolResult:
    """The tool error as it is, with the challenge for clients that read results only."""
    return result.model_copy(update={"meta": {META: [scope_challenge(caller, tool)]}})


def refused_call(
    message: Mapping[str, Any], caller: Caller, registry: Registry
) -> tuple[bytes, str] | None:
    """The body and the challenge of a 403, if this message calls for more than is allowed.

    Told before the answer begins, which may be a stream.
    """
    params = message.get("params")
    is_call = message.get("method") == "tools/call" and isinstance(params, dict)
    if not caller.by_oauth or caller.read_only or not is_call:
        return None
    tool = registry.get(str(message["params"].get("name")))
    error = _error(caller, registry, tool, message) if tool else None
    if tool is None or error is None:
        return None
    result = with_challenge(failed(error), caller, tool)
    answer = {
        "jsonrpc": "2.0",
        "id": message.get("id"),
        "result": result.model_dump(mode="json", by_alias=True, exclude_none=True),
    }
    return json.dumps(answer).encode(), scope_challenge(caller, tool)


def _error(
    caller: Caller, registry: Registry, tool: Tool, message: Mapping[str, Any]
) -> ToolError | None:
    arguments = message["params"].get("arguments")
    named = arguments.get("entity") if isinstance(arguments, dict) else None
    entity: Entity | None = registry.catalogue.meant_by(named) if isinstance(named, str) else None
    if entity is None or not tool.needs:
        return None
    resource = entity.resource_for(tool.needs)
    if caller.may(resource, tool.needs):
        return None
    return lacks_scope(caller, f"{resource}:{tool.needs}")
