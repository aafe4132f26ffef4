"""Streamable HTTP of the SDK, stateless: JSON answers, and a stream where progress is asked for."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from mcp.server.lowlevel.server import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

from bottlecrm_mcp.gateway.shared.rows import dig


class Transport:
    """Serves one message per request. `most` bounds a request's body, in bytes."""

    def __init__(self, server: Server[Any], most: int) -> None:
        self.server = server
        self.most = most
        # By whether they stream; empty where the ASGI server has no lifespan.
        self._managers: dict[bool, StreamableHTTPSessionManager] = {}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        plain, streaming = self._manager(stream=False), self._manager(stream=True)
        async with plain.run(), streaming.run():
            self._managers = {False: plain, True: streaming}
            try:
                yield
            finally:
                self._managers = {}

    async def serve(self, scope: Any, body: bytes, receive: Any, send: Any) -> None:
        """Answer the message in `body`; what `receive` has after it is the end of the client."""
        read = iter([{"type": "http.request", "body": body}])

        async def replay() -> Any:
            return next(read, None) or await receive()

        stream = _reads_streams(scope) and _asks_for_progress(body)
        if manager := self._managers.get(stream):
            await manager.handle_request(scope, replay, send)
            return
        # A manager runs once, so without a lifespan each request has its own.
        manager = self._manager(stream)
        async with manager.run():
            await manager.handle_request(scope, replay, send)

    def _manager(self, stream: bool) -> StreamableHTTPSessionManager:
        return StreamableHTTPSessionManager(
            app=self.server,
            json_response=not stream,
            stateless=True,
            max_request_body_size=self.most,
        )


def _reads_streams(scope: Any) -> bool:
    accepted = (value for name, value in scope["headers"] if name == b"accept")
    return any(b"text/event-stream" in value or b"*/*" in value for value in accepted)


def _asks_for_progress(body: bytes) -> bool:
    # Most messages don't, and are not parsed a second time.
    if b'"progressToken"' not in body:
        return False
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(message, dict) and dig(message, "params._meta.progressToken") is not None
