"""Access log, traces and log records: one line in the log, one span and, for a call of a tool, one
OpenTelemetry log record for each request to /mcp.

None holds a value of an argument or of a record. The span is the one that the SDK makes of each
message; without an OpenTelemetry SDK there is none, and nothing of this costs anything.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, fields
from typing import Any
from uuid import uuid4

from mcp.server.context import CallNext, HandlerResult, ServerMiddleware, ServerRequestContext
from mcp.shared.exceptions import MCPError
from opentelemetry import _logs, trace

logger = logging.getLogger("bottlecrm_mcp.calls")

OK = "ok"
CONFIRMATION_REQUIRED = "confirmation_required"
DECLINED = "declined"
REPEATED = "repeated"
REFUSED = "refused"
LONGEST = 64

# Of requests that end before a message is read, by status.
_OUTCOMES = {
    0: "disconnected",
    202: OK,
    204: OK,
    401: "unauthorized",
    403: "forbidden",
    408: "too_slow",
    413: "too_large",
    429: "rate_limited",
    503: "unavailable",
}
_SANE_ID = re.compile(r"[\w.:/+=@-]{1,64}", re.ASCII)
_log_records = _logs.get_logger("bottlecrm_mcp")
_tracer = trace.get_tracer("bottlecrm_mcp")
# Clients put their token where a method or an id belongs.
_SECRET = re.compile(r"(bcrm_(?:pat|oac|ort)_\w{4})[\w-]+", re.ASCII)
_UNSAFE = re.compile(r"[^\w.:/@+-]", re.ASCII)


@dataclass
class AccessLogEntry:
    """One request to /mcp as the log shows it, in this order; what is not known is left out."""

    request_id: str
    method: str = ""
    tool: str = ""
    entity: str = ""
    outcome: str = ""
    status: int = 0
    token_id: str = ""
    token_prefix: str = ""
    org_id: str = ""
    ms: int = 0
    queries: int = 0
    bytes: int = 0
    started: float = field(default_factory=time.monotonic, repr=False)

    def log(self) -> None:
        self.ms = round((time.monotonic() - self.started) * 1000)
        self.outcome = self.outcome or _OUTCOMES.get(self.status, REFUSED)
        shown = {name: _safe(getattr(self, name)) for name in _SHOWN}
        shown = {name: value for name, value in shown.items() if value != ""}
        line = " ".join(f"{name}={value}" for name, value in shown.items())
        logger.info("%s", line, extra=shown)

    def trace(self) -> None:
        """Tell the span of the message, which the SDK has made, what it does not know."""
        span = trace.get_current_span()
        if span.is_recording():
            known = {name: getattr(self, name) for name in _TRACED}
            span.set_attributes({f"bottlecrm.{name}": known[name] for name in known if known[name]})


_SHOWN = tuple(each.name for each in fields(AccessLogEntry) if each.repr)
_TRACED = ("request_id", "org_id", "token_id", "entity", "outcome")
_current: ContextVar[AccessLogEntry | None] = ContextVar("seen_call", default=None)


def _safe(value: Any) -> Any:
    if not (value and isinstance(value, str)):
        return value
    return _UNSAFE.sub("_", _SECRET.sub(r"\1_", value))[:LONGEST]


def request_id(given: str) -> str:
    """The id that a proxy gave this request, or a new one if it gave none that can be trusted."""
    return given if _SANE_ID.fullmatch(given) else uuid4().hex


@contextmanager
def access_log(request: str) -> Iterator[AccessLogEntry]:
    """Logs what happens within as one request."""
    call = AccessLogEntry(request)
    token = _current.set(call)
    try:
        yield call
    finally:
        _current.reset(token)
        call.log()


def annotate(**facts: str) -> None:
    """Facts of the current request, named like the fields of `AccessLogEntry`."""
    call = _current.get()
    if call is not None:
        for name, value in facts.items():
            setattr(call, name, value)


def outcome() -> str:
    """The outcome of the current request as far as it is known."""
    call = _current.get()
    return call.outcome if call else ""


async def message_middleware(
    ctx: ServerRequestContext[Any, Any], call_next: CallNext
) -> HandlerResult:
    """Middleware of the SDK's server, within its own that makes the span of a message."""
    call = _current.get()
    if call is None:
        return await call_next(ctx)
    call.method = ctx.method
    try:
        result = await call_next(ctx)
        call.outcome = call.outcome or OK
        return result
    except MCPError as error:
        call.outcome = f"error{error.error.code}"
        raise
    finally:
        call.trace()


def emit_call(**facts: str | int) -> None:
    """Hand a row of the call log on to the operator's OpenTelemetry, if that takes logs."""
    known = {f"bottlecrm.{name}": value for name, value in facts.items() if value != ""}
    try:
        record = _logs.LogRecord(
            timestamp=time.time_ns(),
            severity_number=_logs.SeverityNumber.INFO,
            severity_text="INFO",
            body="call of a tool",
            attributes=known,
        )
        _log_records.emit(record)
    except Exception:
        # The call itself is over, and has not failed.
        logger.exception("A call could not be handed on to OpenTelemetry")


def is_traced() -> bool:
    """Whether the operator has OpenTelemetry take traces; it is set up once, before or after us."""
    return not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)


def where_traced(middleware: ServerMiddleware[Any]) -> ServerMiddleware[Any]:
    """The SDK's middleware of OpenTelemetry, which prepares each span, taken or not."""

    async def traced(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        return await (middleware(ctx, call_next) if is_traced() else call_next(ctx))

    return traced


@contextmanager
def crm_request_span(request: Any) -> Iterator[None]:
    """A span of one of Django's requests. It names the route: a path holds ids."""
    if not is_traced():
        yield
        return
    with _tracer.start_as_current_span(
        f"CRM {request.method}", record_exception=False, set_status_on_exception=False
    ) as span:
        yield
        if span.is_recording():
            route = getattr(request.resolver_match, "route", "")
            span.update_name(f"CRM {request.method} {route}".strip())
            span.set_attributes({"http.request.method": request.method, "http.route": route})


def count_query(execute: Any, *arguments: Any) -> Any:
    """Counts a statement to the current request; one of Django's wrappers of `execute`."""
    call = _current.get()
    if call is not None:
        call.queries += 1
    return execute(*arguments)
