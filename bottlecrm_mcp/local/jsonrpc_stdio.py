"""JSON-RPC over stdio: messages on this process's stdin and stdout, one to a line."""

from __future__ import annotations

import contextlib
import json
import math
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager
from threading import Thread
from typing import Any, Protocol

import anyio
from anyio.from_thread import BlockingPortal

from bottlecrm_mcp.protocol import envelope

Message = dict[str, Any]

CHUNK = 65_536
LONGEST_LINE = 16_000_000
PARSE_ERROR = -32700
INVALID_REQUEST = -32600


class ClientLeft(Exception):
    """The client closed stdin before the CRM could be reached, which was told on stderr."""


class Stdio(Protocol):
    """The client, to a server."""

    def messages(self) -> AbstractAsyncContextManager[AsyncIterator[Message]]: ...

    def send(self, message: Message) -> None: ...


class JsonRpcStdio:
    """The client at the other end of stdin and stdout.

    While it is open, whatever else prints goes to stderr: stdout carries the protocol only.
    """

    def __init__(self) -> None:
        self._in = os.dup(0)
        self._out = os.fdopen(os.dup(1), "wb")
        self._is_open = True

    @contextlib.asynccontextmanager
    async def messages(self) -> AsyncIterator[AsyncIterator[Message]]:
        """The client's messages until it closes stdin; what is none is answered here."""
        sys.stdout.flush()
        os.dup2(2, 1)
        lines_in, lines = anyio.create_memory_object_stream[bytes | None](math.inf)

        def read_all() -> None:
            for line in _lines(self._in):
                portal.start_task_soon(lines_in.send_nowait, line)
            portal.start_task_soon(lines_in.send_nowait, None)

        async with BlockingPortal() as portal:
            # Not a worker of the event loop's: those are waited for when the process ends.
            Thread(target=read_all, name="stdin", daemon=True).start()
            yield self._parsed(lines)
            await portal.stop(cancel_remaining=True)

    async def _parsed(self, lines: AsyncIterator[bytes | None]) -> AsyncIterator[Message]:
        async for line in lines:
            if line is None or not self._is_open:
                return
            message = _message(line)
            if isinstance(message, str):
                self.send(error_response(None, PARSE_ERROR, message))
            elif fault := _fault(message):
                request_id = message.get("id")
                answered = request_id if envelope.is_id(request_id) else None
                self.send(error_response(answered, INVALID_REQUEST, fault))
            else:
                yield message

    def send(self, message: Message) -> None:
        text = json.dumps(message, ensure_ascii=False, separators=(",", ":"))
        try:
            self._out.write(text.encode("utf-8", "replace") + b"\n")
            self._out.flush()
        except OSError:
            # The client is gone; stdin will end too.
            self._is_open = False


def _lines(descriptor: int) -> Iterator[bytes]:
    # Read without a buffer of Python's: its lock would be held when the process ends.
    pending = b""
    while chunk := _read(descriptor):
        *complete, pending = (pending + chunk).split(b"\n")
        yield from (line for line in complete if line.strip())
        if len(pending) > LONGEST_LINE:
            return
    if pending.strip():
        yield pending


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, CHUNK)
    except OSError:
        return b""


def _message(line: bytes) -> Message | str:
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return "This line is not JSON."
    return message if isinstance(message, dict) else "A message is one JSON object."


def _fault(message: Message) -> str:
    """Why this is no message that can be passed on; empty if it is one."""
    if told := envelope.fault(message):
        return told
    try:
        json.dumps(message, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        # Python reads more than JSON: NaN, halves of surrogate pairs.
        return "This message holds what is no JSON: a number that is not finite, half a character."
    return ""


def error_response(request_id: Any, code: int, text: str) -> Message:
    return {"jsonrpc": "2.0", "id": request_id, "error": {"code": code, "message": text}}


def is_request(message: Message) -> bool:
    return "method" in message and message.get("id") is not None
