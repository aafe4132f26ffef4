"""Requests over HTTP by a client that costs next to nothing, so that the server is measured."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any

MODERN = "2026-07-28"
PREFIX = "io.modelcontextprotocol"
META = {
    f"{PREFIX}/protocolVersion": MODERN,
    f"{PREFIX}/clientInfo": {"name": "benchmarks", "version": "1"},
    f"{PREFIX}/clientCapabilities": {},
}


@dataclass
class Timed:
    """What a number of requests took: milliseconds each, and in all."""

    each: list[float] = field(default_factory=list)
    seconds: float = 0.0
    characters: int = 0


def tool(secret: str, name: str, **arguments: Any) -> bytes:
    return rpc(secret, "tools/call", {"name": name, "arguments": arguments}, name)


def rpc(secret: str, method: str, params: dict[str, Any], name: str = "") -> bytes:
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": META}}
    headers = {"MCP-Protocol-Version": MODERN, "Mcp-Method": method}
    if name:
        headers["Mcp-Name"] = name
    return request("POST", "/mcp", secret, json.dumps(message).encode(), headers)


def request(
    method: str,
    path: str,
    secret: str = "",
    body: bytes = b"",
    headers: dict[str, str] | None = None,
) -> bytes:
    fields = {"Host": "127.0.0.1", "Accept": "application/json, text/event-stream"}
    if secret:
        fields["Authorization"] = f"Bearer {secret}"
    if body:
        fields |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
    fields |= headers or {}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {fields[name]}" for name in fields), "", ""]
    return "\r\n".join(lines).encode() + body


async def send(
    ports: Sequence[int],
    message: bytes | Iterator[bytes],
    calls: int,
    callers: int,
    status: int = 200,
) -> Timed:
    """`callers` connections, spread over the ports, share `calls` requests.

    Each is this message, or the next of these. Raises `RuntimeError` for another status than this,
    and 201 where something was created.
    """
    timed, left = Timed(), iter(range(calls))
    messages = repeat(message) if isinstance(message, bytes) else message

    async def caller(port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in left:
            started = time.perf_counter()
            writer.write(next(messages))
            timed.characters = await _answer(reader, status)
            timed.each.append((time.perf_counter() - started) * 1000)
        writer.close()
        await writer.wait_closed()

    started = time.perf_counter()
    await asyncio.gather(*(caller(ports[each % len(ports)]) for each in range(callers)))
    timed.seconds = time.perf_counter() - started
    return timed


async def _answer(reader: asyncio.StreamReader, status: int) -> int:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    # A deletion is answered with 204, which has no length.
    length = next((each for each in head.split("\r\n") if each.startswith("content-length:")), "")
    body = await reader.readexactly(int(length.partition(":")[2] or 0))
    if int(head.split(" ", 2)[1]) not in (status, 201):
        raise RuntimeError(f"Not {status}: {head}{body.decode()}")
    return len(body)
