"""HTTP errors: how a request ends that never reaches the MCP server."""

from __future__ import annotations

import json
from collections.abc import Iterable

Headers = list[tuple[bytes, bytes]]


def ascii_headers(headers: Iterable[tuple[str, str]]) -> Headers:
    """Headers as ASGI sends them. Clients fail on more than ASCII, and RFC 6750 forbids it."""
    return [(name.lower().encode("ascii"), value.encode("ascii")) for name, value in headers]


class HttpError(Exception):
    """Ends a request before it reaches the MCP server.

    With a JSON-RPC `code` the body is an error that clients show to the agent, with the id of its
    request where that is known; without one it is for whoever set the client up.
    """

    def __init__(
        self,
        status: int,
        message: str,
        headers: Iterable[tuple[str, str]] = (),
        code: int = 0,
        request_id: str | int | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.request_id = request_id
        self.headers = ascii_headers(headers)

    @property
    def body(self) -> bytes:
        if not self.code:
            return json.dumps({"error": str(self)}).encode()
        error = {"code": self.code, "message": str(self)}
        return json.dumps({"jsonrpc": "2.0", "id": self.request_id, "error": error}).encode()
