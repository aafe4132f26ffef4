"""Event stream of an answer that says something before its result: Server-Sent Events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bottlecrm_mcp.hosted.errors import ascii_headers
from bottlecrm_mcp.tools.truncation import compact

HEADERS = (
    ("Content-Type", "text/event-stream"),
    ("Cache-Control", "no-cache, no-transform"),
    ("X-Accel-Buffering", "no"),
)


class EventStream:
    """An ASGI `send` whose answer becomes a stream as soon as there is an event.

    The JSON that is sent afterwards is its last event. Without an event the answer is sent as it
    is, and one that is a stream already takes the events in.
    """

    def __init__(self, send: Any) -> None:
        self._send = send
        self._is_started = self._is_ours = False
        self._result = b""

    async def __call__(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self._is_started = True
        if not self._is_ours:
            await self._send(message)
        elif message["type"] == "http.response.body":
            self._result += message.get("body", b"")
            if not message.get("more_body", False):
                await self._write(_event(self._result), more=False)

    async def event(self, message: Mapping[str, Any]) -> None:
        await self._start()
        await self._write(_event(compact(message).encode()))

    async def keep_alive(self) -> None:
        """A comment: proxies cut what is silent for long."""
        await self._start()
        await self._write(b": waiting\r\n\r\n")

    async def _start(self) -> None:
        if self._is_started:
            return
        self._is_started = self._is_ours = True
        headers = ascii_headers(HEADERS)
        await self._send({"type": "http.response.start", "status": 200, "headers": headers})

    async def _write(self, data: bytes, *, more: bool = True) -> None:
        await self._send({"type": "http.response.body", "body": data, "more_body": more})


def _event(message: bytes) -> bytes:
    return b"event: message\r\ndata: " + message + b"\r\n\r\n"
