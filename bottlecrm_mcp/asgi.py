"""ASGI application that answers /mcp in front of Django's.

Not a Django URL: BottleCRM's middleware would refuse it for every scoped token. Host, Origin, size,
body and token are checked here, in this order and before a message is parsed; the tools then go
through Django's whole middleware chain.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from io import BytesIO
from posixpath import normpath
from typing import Any
from urllib.parse import unquote

from django.core.handlers.asgi import ASGIRequest
from mcp.server.lowlevel.server import Server
from mcp_types import INVALID_REQUEST

from bottlecrm_mcp import telemetry
from bottlecrm_mcp.conf import mcp_settings
from bottlecrm_mcp.hosted import (
    forms,
    health,
    oauth,
    rate_limits,
    session_id,
    start_up,
    thread_pool,
    token_policy,
)
from bottlecrm_mcp.hosted.admission import Call, admit_token
from bottlecrm_mcp.hosted.body import Disconnected, read_body
from bottlecrm_mcp.hosted.cors import cors_headers, host_of, preflight_headers
from bottlecrm_mcp.hosted.errors import Headers, HttpError
from bottlecrm_mcp.hosted.event_stream import EventStream
from bottlecrm_mcp.hosted.execution import current_call, keys, run_as_caller
from bottlecrm_mcp.hosted.files.links import ROOT as FILES
from bottlecrm_mcp.hosted.files.serving import serve_file
from bottlecrm_mcp.hosted.message import message_in
from bottlecrm_mcp.hosted.revoke import PATHS as REVOKE_PATHS
from bottlecrm_mcp.hosted.revoke import revoke
from bottlecrm_mcp.hosted.server import HostedServer
from bottlecrm_mcp.hosted.transport import Received, Transport, reads_streams
from bottlecrm_mcp.protocol.metadata import SKILLS_PATH
from bottlecrm_mcp.protocol.server import McpServer
from bottlecrm_mcp.protocol.skills import archive
from bottlecrm_mcp.tools.registry import Registry

PATHS = ("/mcp", "/mcp/")
ZIP = b"application/zip"
WELL_KNOWN = "/.well-known/"
# How often a path may have been percent-encoded.
ENCODINGS = 3
NOT_HERE = "There is nothing at this address. The endpoint is /mcp; a link works only as it came."
# An attribute of a wrapped application, for those who want to know.
MARK = "serves_mcp"
CUT_OFF = (
    "The server is stopped while it handles this. Whether it was done is not known: look at the "
    "record before you try it again."
)

Application = Callable[[Any, Any, Any], Awaitable[None]]
Admit = Callable[[ASGIRequest], Awaitable[Call]]


def with_mcp(application: Application, mcp: McpApplication | None = None) -> Application:
    """`application` with /mcp in front of it; wrap Django's ASGI application once, in asgi.py."""
    mcp = mcp or McpApplication()
    healthz = health.Health()
    authorization_server = _oauth()

    async def route(scope: Any, receive: Any, send: Any) -> None:
        path = _path(scope) if scope["type"] == "http" else ""
        if scope["type"] == "lifespan":
            await mcp.lifespan(receive, send)
        elif path in PATHS:
            await mcp(scope, receive, send)
        elif path.startswith(FILES):
            await _files(scope, receive, send)
        elif path == SKILLS_PATH:
            await _answer(send, *_skills(scope["method"]))
        elif path in health.PATHS:
            await _answer(send, *await healthz.response(scope["method"]))
        elif path in REVOKE_PATHS and token_policy.is_installed():
            await _revoke(scope, receive, send)
        elif path in authorization_server and oauth.is_on():
            await authorization_server[path](scope, receive, send)
        elif _is_ours(path):
            _hide_path(scope, PATHS[-1])
            await _answer(send, 404, HttpError(404, NOT_HERE).body, [])
        elif path.startswith(WELL_KNOWN):
            await application(scope, receive, _without_page(send))
        else:
            await application(scope, receive, send)

    setattr(route, MARK, True)
    return route


def _skills(method: str) -> tuple[int, bytes, Headers]:
    """The skills, for clients that take them as a folder; nobody's secret."""
    if method not in ("GET", "HEAD"):
        return 405, HttpError(405, "Use GET.").body, [(b"allow", b"GET, HEAD")]
    saved = [(b"content-disposition", b'attachment; filename="bottlecrm-skills.zip"')]
    return 200, archive(mcp_settings().catalogue.prompts), [*saved, (b"content-type", ZIP)]


async def _files(scope: Any, receive: Any, send: Any) -> None:
    request = ASGIRequest({**scope, "headers": _stripped(scope)}, BytesIO())
    _hide_path(scope, FILES)
    request_id = telemetry.request_id(request.META.get("HTTP_X_REQUEST_ID", ""))
    with telemetry.access_log(request_id) as call, token_policy.request_cache():
        logged = _logged(send, call)
        try:
            with token_policy.coming_from(request):
                await serve_file(request, receive, logged)
        except HttpError as refusal:
            await _answer(logged, refusal.status, refusal.body, refusal.headers)
        except Disconnected:
            return


async def _revoke(scope: Any, receive: Any, send: Any) -> None:
    try:
        await _answer(send, *await revoke(scope, receive))
    except HttpError as refusal:
        await _answer(send, refusal.status, refusal.body, refusal.headers)
    except Disconnected:
        return


def _oauth() -> dict[str, Application]:
    """The authorization server, by path."""
    if not token_policy.is_installed():
        return {}
    from bottlecrm_mcp.hosted.oauth import routes

    return dict.fromkeys(routes.PATHS, routes.application())


def _without_page(send: Any) -> Any:
    """Sends JSON where the host has a page for what it does not have.

    Clients try several places for their discovery, and read JSON only.
    """
    replaced = False

    async def sending(message: Any) -> None:
        nonlocal replaced
        if message["type"] == "http.response.start" and message["status"] == 404:
            kinds = [value for name, value in message["headers"] if name.lower() == b"content-type"]
            replaced = any(kind.startswith(b"text/html") for kind in kinds)
            if replaced:
                await _answer(send, 404, HttpError(404, "There is no such document.").body, [])
        if not replaced:
            await send(message)

    return sending


def _path(scope: Any) -> str:
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))


def _is_ours(path: str) -> bool:
    """Whether a path is meant for /mcp, however it is spelled.

    It may hold a link to a file, which the host would write into its log.
    """
    for _ in range(ENCODINGS):
        path = unquote(path)
    plain = normpath("/" + path.replace("\\", "/").lstrip("/")).lower() + "/"
    return plain.startswith("/mcp/") or FILES in plain


def _hide_path(scope: Any, shown: str) -> None:
    """Leave `shown` for the access logs of ASGI servers, which read the scope after the answer."""
    scope["path"], scope["raw_path"], scope["query_string"] = shown, shown.encode(), b""


class McpApplication:
    """The ASGI application at /mcp.

    `admit` tells who is calling, or raises `HttpError`.
    """

    def __init__(self, server: Server[Any] | None = None, admit: Admit | None = None) -> None:
        self.server = server or crm_server()
        self.admit = admit or admit_token
        self.transport = Transport(self.server, mcp_settings().MAX_BODY_BYTES)

    async def lifespan(self, receive: Any, send: Any) -> None:
        await receive()
        await thread_pool.in_pool(start_up.load)
        async with self.transport.running():
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await token_policy.flush_calls()
        await send({"type": "lifespan.shutdown.complete"})

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        headers = _stripped(scope)
        request = ASGIRequest({**scope, "headers": headers}, BytesIO())
        request_id = telemetry.request_id(request.META.get("HTTP_X_REQUEST_ID", ""))
        with (
            telemetry.access_log(request_id) as call,
            token_policy.request_cache(),
            token_policy.coming_from(request),
        ):
            logged = _logged(send, call)
            try:
                await self._answer(request, receive, logged)
            except asyncio.CancelledError:
                # The server ends, and its patience with calls that still run has ended before.
                if not call.status:
                    await _answer(logged, 503, HttpError(503, CUT_OFF).body, [])
                raise

    async def _answer(self, request: ASGIRequest, receive: Any, send: Any) -> None:
        cors: Headers = []
        try:
            cors = cors_headers(request, host_of(request))
            if request.method == "OPTIONS":
                await _answer(send, 204, b"", [*cors, *preflight_headers()])
                return
            if request.method != "POST":
                # Stateless: there is no stream to open and no session to end.
                raise HttpError(405, "Use POST.", [("Allow", "POST, OPTIONS")])
            body = await read_body(request.scope, receive, self.transport.most, INVALID_REQUEST)
            call = await self.admit(request)
            call.receive = receive
        except Disconnected:
            return
        except HttpError as refusal:
            await _answer(send, refusal.status, refusal.body, [*cors, *refusal.headers])
            return
        token = current_call.set(call)
        try:
            message = message_in(body)
            if refused := self._beyond_scopes(message, call):
                await _answer(send, *refused[:2], [*cors, *refused[2]])
                return
            await forms.deliver(message, call)
            read = Received(body, message, receive)
            inner = {**request.scope, "path": "/mcp", "raw_path": b"/mcp"}
            sending = _with_headers(send, [*cors, *session_id.headers(message, call.caller)])
            sending = self._with_forms(request, call, receive, sending)
            await self.transport.serve(inner, read, sending)
        except HttpError as refusal:
            await _answer(send, refusal.status, refusal.body, cors)
        finally:
            current_call.reset(token)
            rate_limits.leave(call.slot)

    def _with_forms(self, request: ASGIRequest, call: Call, receive: Any, send: Any) -> Any:
        """What to send by; the call of a client on the older revisions is given a way to ask it."""
        declared = session_id.declared_by(request, call.caller)
        call.client, call.shows_cards = declared.client, declared.cards
        if not declared.forms or not reads_streams(request.scope):
            return send
        stream = EventStream(send)
        call.forms = forms.Forms(call, stream, receive, partial(self.admit, request))
        return stream

    def _beyond_scopes(
        self, message: Mapping[str, Any], call: Call
    ) -> tuple[int, bytes, Headers] | None:
        """The answer to a call that needs more than its connection allows."""
        if not call.caller.by_oauth or not isinstance(self.server, HostedServer):
            return None
        from bottlecrm_mcp.hosted.oauth.step_up import refused_call

        refused = refused_call(message, call.caller, self.server.registry)
        if refused is None:
            return None
        telemetry.annotate(outcome="insufficient_scope")
        self.server.log_refused(message["params"], call.caller)
        answer, challenge = refused
        return 403, answer, [(b"www-authenticate", challenge.encode())]


def crm_server() -> McpServer:
    registry = Registry(mcp_settings().catalogue)
    return HostedServer(registry, lambda: current_call.get().caller, run_as_caller, keys())


def _stripped(scope: Any) -> Headers:
    # Some servers keep trailing spaces, on which the SDK's header checks fail.
    return [(name, value.strip()) for name, value in scope["headers"]]


def _logged(send: Any, call: telemetry.AccessLogEntry) -> Any:
    """Sends with the request's id, and notes what is sent."""
    tagged = _with_headers(send, [(b"x-request-id", call.request_id.encode("ascii"))])

    async def sending(message: Any) -> None:
        if message["type"] == "http.response.start":
            call.status = message["status"]
        call.bytes += len(message.get("body", b""))
        await tagged(message)

    return sending


def _with_headers(send: Any, headers: Headers) -> Any:
    async def sending(message: Any) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), *headers]}
        await send(message)

    return sending


async def _answer(send: Any, status: int, body: bytes, headers: Headers) -> None:
    has_kind = not body or any(name == b"content-type" for name, _ in headers)
    kind = [] if has_kind else [(b"content-type", b"application/json")]
    length = [(b"content-length", str(len(body)).encode())]
    await send(
        {"type": "http.response.start", "status": status, "headers": [*kind, *length, *headers]}
    )
    await send({"type": "http.response.body", "body": body})
