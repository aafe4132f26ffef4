"""A web server that answers what it is told, for the ways in which a CRM's host can fail."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

HTML = "text/html; charset=utf-8"
JSON = "application/json"
DEAD_TOKEN = {"detail": "Organization context is required. Please login again."}
NOT_FOUND = "<h1>Not Found</h1>"
PROFILE = {
    "user_obj": {
        "id": "11111111-1111-4111-8111-111111111111",
        "user_details": {"id": "2", "name": "Ann", "email": "ann@example.com"},
        "role": "USER",
    }
}
ORG = {"id": "3", "name": "Alpha", "timezone": "Asia/Kolkata"}


class Said(NamedTuple):
    """One answer: a dict is sent as JSON, a string as a web page."""

    status: int
    body: Any = ""
    headers: dict[str, str] = {}


class Asked(NamedTuple):
    method: str
    path: str
    headers: dict[str, str]
    body: Any


Answers = Callable[[Asked], Said]


class StandIn:
    def __init__(self, url: str) -> None:
        self.url = url
        self.asked: list[Asked] = []

    def paths(self, method: str = "GET") -> list[str]:
        return [each.path for each in self.asked if each.method == method]


@contextmanager
def serving(answers: Answers) -> Iterator[StandIn]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            content = self.rfile.read(length)
            headers = {key.lower(): value for key, value in self.headers.items()}
            asked = Asked(
                self.command, self.path, headers, json.loads(content) if content else None
            )
            stand_in.asked.append(asked)
            self.say(answers(asked))

        def say(self, said: Said) -> None:
            is_page = isinstance(said.body, str)
            content = (said.body if is_page else json.dumps(said.body)).encode()
            try:
                self.send_response(said.status)
                for name, value in {
                    "Content-Type": HTML if is_page else JSON,
                    **said.headers,
                }.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
            except OSError:
                self.close_connection = True

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    stand_in = StandIn(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield stand_in
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def crm(asked: Asked) -> Said:
    """A CRM without /mcp that knows one token without scopes."""
    if asked.path == "/api/profile/":
        return Said(200, PROFILE)
    if asked.path == "/api/org/settings/":
        return Said(200, ORG)
    return Said(404, NOT_FOUND)
