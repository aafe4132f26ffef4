"""The /mcp route, round a Django ASGI application.

Not a Django URL: BottleCRM's middleware would refuse it for every scoped token. Host, Origin, size
and token are checked here, before a message is parsed; the tools then go through Django's whole
middleware chain.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache as cached
from functools import partial
from io import BytesIO
from typing import Any, TypeVar

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIRequest
from django.db import Error as DatabaseError
from django.db import connection
from mcp.server.lowlevel.server import Server
from mcp_types import INTERNAL_ERROR

from bottlecrm_mcp import calls, health, limits, oversight, pool
from bottlecrm_mcp.auth import Unauthorized, authenticate, bearer_secret, shown_prefix
from bottlecrm_mcp.conf import mcp_settings
from bottlecrm_mcp.gateway import in_time
from bottlecrm_mcp.gateway.base import OUTCOME_UNKNOWN, Caller, GatewayError
from bottlecrm_mcp.gateway.in_process import InProcessGateway, Origin, database_call
from bottlecrm_mcp.gateway.runs import too_late
from bottlecrm_mcp.revoke import PATHS as REVOKE_PATHS
from bottlecrm_mcp.revoke import revoke
from bottlecrm_mcp.server import McpServer
from bottlecrm_mcp.tools.bounds import Bounds
from bottlecrm_mcp.tools.crm import Crm
from bottlecrm_mcp.tools.registry import Registry
from bottlecrm_mcp.tools.seal import Seal, derive_key
from bottlecrm_mcp.transport import Transport

logger = logging.getLogger("bottlecrm_mcp")

PATHS = ("/mcp", "/mcp/")
# An attribute of a wrapped application, for those who want to know.
MARK = "serves_mcp"
# What the inner request keeps of the outer one: where it came from, nothing that identifies.
FORWARDED = (
    "HTTP_HOST",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_REAL_IP",
    "HTTP_USER_AGENT",
)
ALLOWED_REQUEST_HEADERS = (
    "authorization, content-type, accept, mcp-protocol-version, mcp-method, mcp-name, "
    "mcp-session-id, last-event-id, x-request-id"
)
BUSY = "All threads of this server are busy; try again in a moment."
# What a call may take beyond its time until nobody waits for it any more.
GRACE_SECONDS = 2
# One of the codes that JSON-RPC leaves to servers.
RATE_LIMITED = -32029
EXPOSED_HEADERS = "WWW-Authenticate, Retry-After, X-Request-ID"
CUT_OFF = (
    "The server is stopped while it handles this. Whether it was done is not known: look at the "
    "record before you try it again."
)

T = TypeVar("T")
Application = Callable[[Any, Any, Any], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True)
class Call:
    """One authenticated HTTP request to /mcp."""

    caller: Caller
    secret: str
    origin: Origin
    slot: limits.Slot = field(default_factory=limits.Slot)

    def __repr__(self) -> str:
        return f"<Call by {self.caller.email}>"


Admit = Callable[[ASGIRequest], Awaitable[Call]]

_call: ContextVar[Call] = ContextVar("call")


def with_mcp(application: Application, mcp: McpApplication | None = None) -> Application:
    """`application` with /mcp in front of it; wrap Django's ASGI application once, in asgi.py."""
    mcp = mcp or McpApplication()
    healthz = health.Health()

    async def route(scope: Any, receive: Any, send: Any) -> None:
        path = _path(scope) if scope["type"] == "http" else ""
        if scope["type"] == "lifespan":
            await mcp.lifespan(receive, send)
        elif path in PATHS:
            await mcp(scope, receive, send)
        elif path in health.PATHS:
            await _answer(send, *await healthz.response(scope["method"], in_pool))
        elif path in REVOKE_PATHS and oversight.is_installed():
            await _answer(send, *await revoke(scope, receive, in_pool))
        else:
            await application(scope, receive, send)

    setattr(route, MARK, True)
    return route


def _path(scope: Any) -> str:
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))


class Refusal(Exception):
    """Ends a request before it reaches the MCP server.

    With a JSON-RPC `code` the body is an error that clients show to the agent; without one it is
    for whoever set the client up.
    """

    def __init__(
        self, status: int, message: str, headers: Iterable[tuple[str, str]] = (), code: int = 0
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = [(name.lower().encode(), value.encode()) for name, value in headers]

    @property
    def body(self) -> bytes:
        if not self.code:
            return json.dumps({"error": str(self)}).encode()
        error = {"code": self.code, "message": str(self)}
        return json.dumps({"jsonrpc": "2.0", "id": None, "error": error}).encode()


class McpApplication:
    """The ASGI application at /mcp.

    `admit` tells who is calling, or raises `Refusal`.
    """

    def __init__(self, server: Server[Any] | None = None, admit: Admit | None = None) -> None:
        self.server = server or crm_server()
        self.admit = admit or admit_token
        self.transport = Transport(self.server, mcp_settings().MAX_BODY_BYTES)

    async def lifespan(self, receive: Any, send: Any) -> None:
        await receive()
        async with self.transport.running():
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        headers = _stripped(scope)
        request = ASGIRequest({**scope, "headers": headers}, BytesIO())
        request_id = calls.request_id(request.headers.get("X-Request-ID", ""))
        with calls.seen(request_id) as call, oversight.one_call():
            observed = _observed(send, call)
            try:
                await self._answer(request, receive, observed)
            except asyncio.CancelledError:
                # The server ends, and its patience with calls that still run has ended before.
                if not call.status:
                    await _answer(observed, 503, json.dumps({"error": CUT_OFF}).encode(), [])
                raise

    async def _answer(self, request: ASGIRequest, receive: Any, send: Any) -> None:
        cors: Headers = []
        try:
            cors = _check_origin(request, _host(request))
            if request.method == "OPTIONS":
                await _answer(send, 204, b"", [*cors, *_preflight()])
                return
            if request.method != "POST":
                # Stateless: there is no stream to open and no session to end.
                raise Refusal(405, "Use POST.", [("Allow", "POST, OPTIONS")])
            call = await self.admit(request)
        except Refusal as refusal:
            await _answer(send, refusal.status, refusal.body, [*cors, *refusal.headers])
            return
        inner = {**request.scope, "path": "/mcp", "raw_path": b"/mcp"}
        token = _call.set(call)
        try:
            with oversight.coming_from(request):
                await self.transport.serve(inner, receive, _with_headers(send, cors))
        finally:
            _call.reset(token)
            if call.slot.is_taken:
                threads().submit(framed, call.slot.release)


def crm_server() -> McpServer:
    registry = Registry(mcp_settings().catalogue)
    return oversight.RecordedServer(registry, lambda: _call.get().caller, run_as_caller, keys())


async def admit_token(request: ASGIRequest) -> Call:
    try:
        secret = bearer_secret(request.headers.get("Authorization", ""))
        with oversight.coming_from(request):
            seconds = mcp_settings().CALL_SECONDS
            caller, slot = await pool.in_time(in_pool, lambda: _admitted(secret), seconds)
        slot = slot or await limits.waited_slot(caller.token_id, in_pool)
    except Unauthorized as refusal:
        raise Refusal(401, str(refusal), [_challenge(refusal)]) from refusal
    except oversight.NotAdmitted as refusal:
        raise Refusal(403, str(refusal)) from refusal
    except limits.TooManyCalls as refusal:
        wait = [("Retry-After", str(refusal.seconds))]
        raise Refusal(429, str(refusal), wait, RATE_LIMITED) from refusal
    except DatabaseError as problem:
        logger.exception("The database could not be asked for a token")
        raise _unavailable("The CRM's database does not answer; try again.") from problem
    except pool.Busy as problem:
        raise _unavailable(BUSY) from problem
    except pool.Overdue as problem:
        raise _unavailable("The CRM's database does not answer in time.") from problem
    return Call(caller, secret, _origin(request), slot)


def _admitted(secret: str) -> tuple[Caller, limits.Slot | None]:
    caller = authenticate(secret)
    calls.note(token_id=caller.token_id, token_prefix=shown_prefix(secret), org_id=caller.org_id)
    limits.count_call(caller.token_id)
    return caller, limits.take_slot(caller.token_id)


def _unavailable(message: str) -> Refusal:
    return Refusal(503, message, [("Retry-After", "1")], INTERNAL_ERROR)


async def run_as_caller(work: Callable[[Crm], Any]) -> Any:
    call = _call.get()

    def run() -> Any:
        try:
            return oversight.recorded(call.caller, lambda: work(crm_for(call)))
        finally:
            # Before the client has its answer, and may make its next call.
            call.slot.release()

    seconds = mcp_settings().CALL_SECONDS
    try:
        with in_time.one_call(seconds):
            # The database ends its part sooner, and then the outcome is known.
            return await pool.in_time(in_pool, run, seconds + GRACE_SECONDS)
    except pool.Busy as refusal:
        raise GatewayError("busy", f"{BUSY} Nothing was changed.") from refusal
    except pool.Overdue as fault:
        raise too_late(OUTCOME_UNKNOWN if oversight.is_write() else "") from fault


def crm_for(call: Call) -> Crm:
    configured = mcp_settings()
    catalogue = configured.catalogue
    gateway = InProcessGateway(catalogue, call.caller, call.secret, call.origin)
    sealed = configured.CONFIRMATION == "sealed" or call.caller.sealed
    bounds = Bounds(configured.MAX_DEPTH, configured.MAX_VALUES, configured.MAX_ANSWER_BYTES)
    return Crm(call.caller, catalogue, gateway, seal(), sealed, bounds=bounds)


def keys() -> list[bytes]:
    """Keys that all processes and hosts of this CRM share; the first is in use."""
    secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return [derive_key(secret) for secret in secrets]


def seal() -> Seal:
    return Seal(keys(), _spend)


def _spend(digest: str, lifetime: int) -> bool:
    try:
        return bool(cache.add(f"bottlecrm_mcp:spent:{digest}", True, lifetime))
    except Exception as problem:
        raise GatewayError(
            "unavailable",
            "The CRM's cache does not answer, so it is not known whether this confirmation was "
            "used before. Nothing was changed; try again later.",
        ) from problem


@cached
def threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(mcp_settings().THREADS, thread_name_prefix="bottlecrm-mcp")


async def in_pool(work: Callable[[], T]) -> T:
    """Run database work on a pool thread. Never on the loop's or Django's own thread."""
    run: Callable[[], Awaitable[T]] = sync_to_async(
        partial(framed, work), thread_sensitive=False, executor=threads()
    )
    return await run()


def framed(work: Callable[[], T]) -> T:
    """Do database work as a pool thread does it."""
    with database_call(), connection.execute_wrapper(calls.count_query):
        return work()


def _stripped(scope: Any) -> Headers:
    # Some servers keep trailing spaces, on which the SDK's header checks fail.
    return [(name, value.strip()) for name, value in scope["headers"]]


def _host(request: ASGIRequest) -> str:
    try:
        return request.get_host()
    except DisallowedHost as problem:
        raise Refusal(400, "This Host is not served here.") from problem


def _check_origin(request: ASGIRequest, host: str) -> Headers:
    """The CORS headers of the answer. Raises `Refusal` for an origin that is not allowed."""
    origin = request.headers.get("Origin")
    if origin is None:
        return []
    if origin != f"{request.scheme}://{host}" and not _is_cors_origin(origin):
        raise Refusal(403, "This Origin is not allowed.")
    return [
        (b"access-control-allow-origin", origin.encode()),
        (b"access-control-expose-headers", EXPOSED_HEADERS.encode()),
        (b"vary", b"Origin"),
    ]


def _is_cors_origin(origin: str) -> bool:
    """The settings of django-cors-headers, which BottleCRM's web app is allowed by."""
    if _cors_setting("CORS_ALLOW_ALL_ORIGINS", "CORS_ORIGIN_ALLOW_ALL"):
        return True
    if origin in _cors_setting("CORS_ALLOWED_ORIGINS", "CORS_ORIGIN_WHITELIST"):
        return True
    patterns = _cors_setting("CORS_ALLOWED_ORIGIN_REGEXES", "CORS_ORIGIN_REGEX_WHITELIST")
    return any(re.fullmatch(pattern, origin) for pattern in patterns)


def _cors_setting(name: str, former_name: str) -> Any:
    # BottleCRM sets one by its former name, which django-cors-headers still reads.
    return getattr(settings, name, getattr(settings, former_name, ()))


def _preflight() -> Headers:
    return [
        (b"access-control-allow-methods", b"POST, OPTIONS"),
        (b"access-control-allow-headers", ALLOWED_REQUEST_HEADERS.encode()),
        (b"access-control-max-age", b"3600"),
    ]


def _challenge(refusal: Unauthorized) -> tuple[str, str]:
    # RFC 6750, section 3.1: no error code when no credential was sent.
    if not refusal.presented:
        return "WWW-Authenticate", 'Bearer realm="BottleCRM"'
    return (
        "WWW-Authenticate",
        f'Bearer realm="BottleCRM", error="invalid_token", error_description="{refusal}"',
    )


def _origin(request: ASGIRequest) -> Origin:
    meta = request.META
    return Origin(
        host=meta["SERVER_NAME"],
        port=meta["SERVER_PORT"],
        scheme=request.scope.get("scheme", "http"),
        client=meta.get("REMOTE_ADDR", ""),
        headers=tuple((name, meta[name]) for name in FORWARDED if name in meta),
    )


def _observed(send: Any, call: calls.SeenCall) -> Any:
    """Sends with the request's id, and notes what is sent."""
    tagged = _with_headers(send, [(b"x-request-id", call.request_id.encode())])

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
    kind = [(b"content-type", b"application/json")] if body else []
    length = [(b"content-length", str(len(body)).encode())]
    await send(
        {"type": "http.response.start", "status": status, "headers": [*kind, *length, *headers]}
    )
    await send({"type": "http.response.body", "body": body})
