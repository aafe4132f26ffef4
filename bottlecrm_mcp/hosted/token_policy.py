"""Token policy and audit log, where `pat_tokens` is installed.

Without it every token is admitted as it is, and no write is recorded.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

import mcp_types as types
from django.apps import apps
from django.http import HttpRequest

from bottlecrm_mcp.gateway.base import Caller, GatewayError
from bottlecrm_mcp.gateway.in_process.deadline import Deadline
from bottlecrm_mcp.hosted import oauth
from bottlecrm_mcp.protocol.server import McpServer
from bottlecrm_mcp.tools.confirmation.confirm import ConfirmationRequired
from bottlecrm_mcp.tools.errors import ToolError
from bottlecrm_mcp.tools.tool import Tool

logger = logging.getLogger("bottlecrm_mcp")

RECORD_SECONDS = 5

T = TypeVar("T")

# Outcomes after which the CRM may hold something new; after any other it is as it was.
MAY_HAVE_CHANGED = frozenset({"done", "timeout", "crm_error", "internal_error"})


class NotAdmitted(Exception):
    """The organisation's policy refuses the token; the message says why."""


@dataclass(frozen=True)
class Write:
    """A call of a tool that may write."""

    tool: str
    entity: str
    record_id: str
    client: str


_write: ContextVar[Write | None] = ContextVar("write", default=None)


def is_installed() -> bool:
    return apps.is_installed("pat_tokens")


def admitted(caller: Caller, token: Any) -> Caller:
    """The caller as the organisation's policy leaves it. Raises `NotAdmitted`."""
    if not is_installed():
        return caller
    from pat_tokens import mcp_endpoint

    try:
        admission = mcp_endpoint.admit(token)
    except mcp_endpoint.NotAdmitted as refusal:
        raise NotAdmitted(str(refusal)) from refusal
    return replace(
        caller,
        scopes=admission.scopes,
        read_only=admission.read_only,
        sealed=admission.sealed,
    )


@contextmanager
def coming_from(request: HttpRequest) -> Iterator[None]:
    """Lets what is recorded within say where the request came from."""
    if not is_installed():
        yield
        return
    from pat_tokens.audit.source import coming_from, source_of

    with coming_from(source_of(request)):
        yield


@contextmanager
def request_cache() -> Iterator[None]:
    """Lets admission and the requests to the CRM within share their look-ups of the token."""
    if not is_installed():
        yield
        return
    from pat_tokens.mcp_endpoint import request_cache

    with request_cache():
        yield


class AuditedServer(McpServer):
    """Remembers which tool a request calls, for `recorded`, and asks clients for more access."""

    async def _call_tool(self, context: Any, params: types.CallToolRequestParams) -> Any:
        token = _write.set(self._write_of(params, client_name(context)))
        try:
            return await super()._call_tool(context, params)
        finally:
            _write.reset(token)

    def described(self, tool: Tool) -> types.Tool:
        shown = super().described(tool)
        if not oauth.is_on():
            return shown
        from bottlecrm_mcp.hosted.oauth.step_up import security_schemes

        # ChatGPT reads it here too; beside `name`, where it belongs, the SDK lets nothing through.
        return shown.model_copy(update={"meta": {"securitySchemes": security_schemes(tool)}})

    def failed(self, error: ToolError, tool: Tool) -> types.CallToolResult:
        result = super().failed(error, tool)
        caller = self.current_caller()
        if error.code != "insufficient_scope" or not caller.by_oauth or caller.read_only:
            return result
        from bottlecrm_mcp.hosted.oauth.step_up import with_challenge

        return with_challenge(result, caller, tool)

    def _write_of(self, params: types.CallToolRequestParams, client: str) -> Write | None:
        tool = self.registry.get(params.name)
        if tool is None or tool.needs != "write":
            return None
        arguments = params.arguments or {}
        entity, record_id = (str(arguments.get(name) or "") for name in ("entity", "id"))
        return Write(tool.name, entity, record_id, client)


def client_name(context: Any) -> str:
    """As the client introduces itself, where the protocol has it do so with each request."""
    introduction = context.session.client_params
    info = introduction.client_info if introduction else None
    return f"{info.name} {info.version}".strip() if info else ""


def is_write() -> bool:
    """Whether the current request calls a tool that may write."""
    return _write.get() is not None


def audited(caller: Caller, work: Callable[[], T], deadline: Deadline) -> T:
    """Do the work, and leave one entry in the log if it is a write, however it ends.

    The entry has time of its own where that of the call is over.
    """
    write = _write.get()
    if write is None or not is_installed():
        return work()
    record = partial(_record, caller, write, deadline)
    try:
        result = work()
    except ConfirmationRequired:
        raise
    except (ToolError, GatewayError) as error:
        record(error.code)
        raise
    except Exception:
        record("internal_error")
        raise
    answer = result if isinstance(result, dict) else {}
    if not answer.get("confirmation_required"):
        record(_outcome(answer), str(answer.get("id") or ""))
    return result


def _outcome(answer: dict[str, Any]) -> str:
    if answer.get("declined"):
        return "declined"
    return "repeated" if answer.get("repeated") else "done"


def _record(
    caller: Caller, write: Write, deadline: Deadline, outcome: str, record_id: str = ""
) -> None:
    from pat_tokens.mcp_endpoint import record_write

    deadline.extend(RECORD_SECONDS)
    try:
        record_write(
            org_id=caller.org_id,
            actor_id=caller.profile_id,
            actor=caller.email,
            token_id=caller.token_id,
            client=write.client,
            tool=write.tool,
            entity=write.entity,
            record_id=record_id or write.record_id,
            outcome=outcome,
            refused=outcome not in MAY_HAVE_CHANGED,
        )
    except Exception:
        # The write itself is done, and must not be reported as failed.
        logger.exception("A write through %s could not be recorded", write.tool)
