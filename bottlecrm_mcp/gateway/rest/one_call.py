"""The connection during one call of a tool: what was read once is not asked for again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from bottlecrm_mcp.gateway.base import Reply
from bottlecrm_mcp.gateway.rest.connection import Connection, TimedReply


class OneCall:
    """Reads are remembered until something is written."""

    def __init__(self, connection: Connection | OneCall) -> None:
        self.connection = connection
        self._replies: dict[str, Reply] = {}

    @property
    def base_url(self) -> str:
        return self.connection.base_url

    def read(self, path: str, parameters: Mapping[str, Any] | None = None) -> Reply:
        key = json.dumps([path, parameters or {}], sort_keys=True, default=str)
        if key not in self._replies:
            reply = self.connection.read(path, parameters)
            if not reply.ok:
                return reply
            self._replies[key] = reply
        return self._replies[key]

    def write(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> TimedReply:
        self._replies.clear()
        return self.connection.write(method, path, body)
