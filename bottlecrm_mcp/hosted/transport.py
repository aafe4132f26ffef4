"""Streamable HTTP of the SDK, stateless: JSON answers, and a stream where progress is asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from mcp.server.lowlevel.server import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

from bottlecrm_mcp.gateway.shared.rows import dig

JSON, EVENTS = b"application/json", b"text/event-stream"


@dataclass(frozen=True)
class Received:
    """A body and the message in it; what `receive` has after it is the end of the client."""

    body: bytes
    message: Mapping[str, Any]
    receive: Any


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

    async def serve(self, scope: Any, received: Received, send: Any) -> None:
        read = iter([{"type": "http.request", "body": received.body}])

        async def replay() -> Any:
            return next(read, None) or await received.receive()

        accepted = _Accepted(scope)
        stream = accepted.streams and (not accepted.json or _asks_for_progress(received.message))
        scope = accepted.spelled_out()
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


def reads_streams(scope: Any) -> bool:
    """Whether the client of this request reads event streams."""
    return _Accepted(scope).streams


class _Accepted:
    """What a client reads. Without an Accept header, or with one of the two types, it is served."""

    def __init__(self, scope: Any) -> None:
        self.scope = scope
        given = b",".join(value for name, value in scope["headers"] if name == b"accept")
        self.json = not given or any(each in given for each in (JSON, b"application/*", b"*/*"))
        self.streams = any(each in given for each in (EVENTS, b"text/*", b"*/*"))

    def spelled_out(self) -> Any:
        """The request as the SDK wants it, which demands both."""
        if not (self.json or self.streams):
            return self.scope
        others = [each for each in self.scope["headers"] if each[0] != b"accept"]
        return {**self.scope, "headers": [*others, (b"accept", b", ".join((JSON, EVENTS)))]}


def _asks_for_progress(message: Mapping[str, Any]) -> bool:
    return dig(message, "params._meta.progressToken") is not None
