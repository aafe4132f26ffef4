"""Handshake of the local server, answered while the SDK is still being loaded.

Loading it takes longer than clients like to wait for a list of tools. What is answered here is what
the SDK's server answers to the same message; everything else waits for it.
"""

from __future__ import annotations

from typing import Any

from bottlecrm_mcp.gateway.base import Caller
from bottlecrm_mcp.local.forms import META_CAPABILITIES, META_VERSION, MODERN
from bottlecrm_mcp.local.jsonrpc_stdio import Message, is_request
from bottlecrm_mcp.protocol.cards.extension import is_declared
from bottlecrm_mcp.protocol.instructions import instructions
from bottlecrm_mcp.protocol.metadata import (
    LIST_LIFETIME_MS,
    NAME,
    SKILLS,
    TITLE,
    WEBSITE,
    package_version,
    tool_entry,
)
from bottlecrm_mcp.tools.arguments.dates import Clock
from bottlecrm_mcp.tools.registry import Registry

HANDSHAKE_VERSIONS = ("2025-03-26", "2025-06-18", "2025-11-25")
CAPABILITIES: dict[str, Any] = {
    "completions": {},
    "prompts": {"listChanged": False},
    "resources": {"listChanged": False, "subscribe": False},
    "tools": {"listChanged": False},
}
EXTENSIONS: dict[str, Any] = {SKILLS: {}}


class FastStart:
    """Answers the messages that open a connection, in either protocol era."""

    def __init__(self, registry: Registry, caller: Caller) -> None:
        self.registry = registry
        self.caller = caller
        self._is_greeted = False
        self._is_left_to_the_sdk = False

    def answer_to(self, message: Message) -> Message | None:
        """The answer to this message, or None if it has to wait."""
        params = message.get("params", {})
        if not is_request(message) or not isinstance(params, dict):
            return None
        result = self._result(message["method"], params)
        if result is None:
            return None
        return {"jsonrpc": "2.0", "id": message["id"], "result": result}

    def _result(self, method: str, params: dict[str, Any]) -> dict[str, Any] | None:
        if self._is_left_to_the_sdk or _shows_cards(params):
            # The SDK's server knows what the extension adds, here and later.
            self._is_left_to_the_sdk = True
            return None
        meta = params.get("_meta")
        if isinstance(meta, dict) and META_VERSION in meta:
            return self._modern(method, params, meta)
        if method == "initialize" and is_handshake(params):
            self._is_greeted = True
            return greeting(params["protocolVersion"], CAPABILITIES, instructions(self.caller))
        if method == "tools/list" and self._is_greeted and not params:
            return self._tools()
        return None

    def _modern(
        self, method: str, params: dict[str, Any], meta: dict[str, Any]
    ) -> dict[str, Any] | None:
        if self._is_greeted or meta[META_VERSION] != MODERN or len(params) > 1:
            return None
        if not isinstance(meta.get(META_CAPABILITIES), dict):
            return None
        extra = {
            "resultType": "complete",
            "cacheScope": "private",
            "_meta": {"io.modelcontextprotocol/serverInfo": server_info()},
        }
        if method == "server/discover":
            lifetime = Clock(self.caller.timezone).milliseconds_to_midnight()
            return {
                "supportedVersions": [MODERN],
                "capabilities": {**CAPABILITIES, "extensions": EXTENSIONS},
                "instructions": instructions(self.caller),
                "ttlMs": lifetime,
                **extra,
            }
        if method == "tools/list":
            return {**self._tools(), "ttlMs": LIST_LIFETIME_MS, **extra}
        return None

    def _tools(self) -> dict[str, Any]:
        return {"tools": [tool_entry(tool) for tool in self.registry.offered_to(self.caller)]}


def _shows_cards(params: dict[str, Any]) -> bool:
    meta = params.get("_meta")
    newer = meta.get(META_CAPABILITIES) if isinstance(meta, dict) else None
    declared = (each for each in (newer, params.get("capabilities")) if isinstance(each, dict))
    return any(is_declared(each.get("extensions")) for each in declared)


def server_info() -> dict[str, str]:
    return {"name": NAME, "version": package_version(), "title": TITLE, "websiteUrl": WEBSITE}


def greeting(protocol_version: str, capabilities: dict[str, Any], text: str) -> dict[str, Any]:
    """The result of `initialize`."""
    return {
        "protocolVersion": protocol_version,
        "capabilities": capabilities,
        "serverInfo": server_info(),
        "instructions": text,
    }


def is_handshake(params: dict[str, Any]) -> bool:
    """Whether these are parameters of an `initialize` that this server understands."""
    client = params.get("clientInfo")
    return (
        params.get("protocolVersion") in HANDSHAKE_VERSIONS
        and isinstance(params.get("capabilities"), dict)
        and isinstance(client, dict)
        and isinstance(client.get("name"), str)
        and isinstance(client.get("version"), str)
    )
