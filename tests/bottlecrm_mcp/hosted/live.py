"""A real uvicorn, and a client that decides on every byte that it sends."""

import json
import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPResponse
from typing import Any, NamedTuple, Self

import uvicorn

WAIT_SECONDS = 60
ACCEPT = "Accept: application/json, text/event-stream"


@contextmanager
def serving(application: Any) -> Iterator[int]:
    """The port on which a thread of this process serves the application."""
    config = uvicorn.Config(application, port=0, log_level="info", lifespan="on")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Wire:
    """One connection to a server on this machine."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), WAIT_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: Any) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def post(self, secret: str, *headers: str, path: str = "/mcp", host: str = "localhost") -> None:
        """Everything before the body."""
        lines = [f"POST {path} HTTP/1.1", f"Host: {host}", ACCEPT, "Content-Type: application/json"]
        if secret:
            lines.append(f"Authorization: Bearer {secret}")
        self.send("\r\n".join([*lines, *headers, "", ""]).encode())

    def has_answer(self, within: float) -> bool:
        """Whether the server says something in so many seconds."""
        return bool(select.select([self.socket], [], [], within)[0])

    def answer(self) -> Answer:
        """The next answer, as soon as it is there."""
        with HTTPResponse(self.socket, method="POST") as response:
            response.begin()
            headers = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, headers, response.read())

    def is_closed(self) -> bool:
        """Whether the server has nothing more to say; waits until that is known."""
        try:
            return self.socket.recv(1) == b""
        except ConnectionError:
            return True


def tool_call(tool: str, **arguments: Any) -> bytes:
    message = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": tool, "arguments": arguments},
    }
    return json.dumps(message).encode()


def length(body: bytes) -> str:
    return f"Content-Length: {len(body)}"


def result(answer: Answer) -> Any:
    """What the tool said, error or not."""
    return json.loads(answer.json["result"]["content"][0]["text"])
