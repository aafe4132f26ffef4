"""Recorder: an HTTP proxy between a program and a host, which counts what passes.

It adds the token, so that no program is told of one. Nobody is at the forms of a program that runs
by itself, and what declares them closes them: it takes that away, and the program gets previews.
"""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from tests.evals.meter import Figures

PASSED_ON = ("content-type", "accept", "mcp-protocol-version", "mcp-session-id", "last-event-id")
MCP = "/mcp"


class Recording:
    """`figures` counts tool calls, `requests` and `characters` all that passed."""

    def __init__(self, host: str, token: str, *, hides_mcp: bool) -> None:
        self.host, self.token, self.hides_mcp = urlsplit(host), token, hides_mcp
        self.figures = Figures()
        self.requests = 0
        self.characters = 0


@contextmanager
def recording(host: str, token: str, *, hides_mcp: bool = False) -> Iterator[tuple[str, Recording]]:
    """The address of the proxy before this host, and what it records.

    With `hides_mcp` there is only the REST API behind it.
    """
    record = Recording(host, token, hides_mcp=hides_mcp)
    handler = type("Handler", (Proxy,), {"record": record})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", record
    finally:
        server.shutdown()
        server.server_close()


class Proxy(BaseHTTPRequestHandler):
    record: Recording

    def do_POST(self) -> None:
        self._pass_on()

    do_GET = do_PUT = do_PATCH = do_DELETE = do_POST

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.record.hides_mcp and self.path.startswith((MCP, "/.well-known")):
            self.send_error(404)
            return
        headers = {
            name: value
            for name, value in self.headers.items()
            if name.lower() in PASSED_ON or name.lower().startswith("mcp-")
        }
        headers["Authorization"] = f"Bearer {self.record.token}"
        upstream = http.client.HTTPConnection(self.record.host.netloc, timeout=120)
        try:
            sent = without_forms(body) if self.path.startswith(MCP) else body
            upstream.request(self.command, self.path, sent or None, headers)
            answer = upstream.getresponse()
            self._answer(body, answer)
        finally:
            upstream.close()

    def _answer(self, asked: bytes, answer: http.client.HTTPResponse) -> None:
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() in (*PASSED_ON, "www-authenticate", "retry-after"):
                self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()
        passed = bytearray()
        # As it comes: an answer may wait for what the client sends next, or for nobody any more.
        with suppress(ConnectionError):
            while part := answer.read1(65_536):
                passed += part
                self.wfile.write(part)
                self.wfile.flush()
        self._note(asked, bytes(passed), answer.status)

    def _note(self, asked: bytes, answered: bytes, status: int) -> None:
        record = self.record
        record.requests += 1
        record.characters += len(answered.decode(errors="replace"))
        if self.path.startswith(MCP) and asked:
            for message in _messages(asked):
                _count(record.figures, message, _messages(answered), status)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the record says what passed."""


def without_forms(body: bytes) -> bytes:
    """The message, without what declares that its client can show forms."""
    try:
        message = json.loads(body)
    except ValueError:
        return body
    params = message.get("params") or {} if isinstance(message, dict) else {}
    for part in (params.get("capabilities"), *(params.get("_meta") or {}).values()):
        if isinstance(part, dict):
            part.pop("elicitation", None)
    return json.dumps(message).encode()


def _count(figures: Figures, asked: Any, answers: list[Any], status: int) -> None:
    reply: dict[str, Any] = next(
        (each for each in answers if each.get("id") == asked.get("id")), {}
    )
    result = reply.get("result") or {}
    if asked.get("method") == "tools/list" and "tools" in result:
        figures.list(result["tools"])
    if asked.get("method") != "tools/call" or "inputRequests" in result:
        return
    given = asked["params"]
    text = "".join(each.get("text", "") for each in result.get("content", ()))
    is_error = bool(result.get("isError")) or not result
    text = text or json.dumps(reply.get("error", f"status {status}"))
    figures.call(given["name"], given.get("arguments") or {}, text, is_error=is_error)


def _messages(body: bytes) -> list[Any]:
    """The JSON-RPC messages of a body, plain or as events."""
    text = body.decode(errors="replace")
    lines = [line[5:] for line in text.splitlines() if line.startswith("data:")] or [text]
    found: list[Any] = []
    for line in lines:
        try:
            message = json.loads(line)
        except ValueError:
            continue
        found += message if isinstance(message, list) else [message]
    return [each for each in found if isinstance(each, dict)]
