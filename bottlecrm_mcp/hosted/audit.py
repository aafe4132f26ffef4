"""Audit of writes: one entry each in the event log of `pat_tokens`, where that is installed."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from bottlecrm_mcp.conf import mcp_settings
from bottlecrm_mcp.gateway.base import Caller, GatewayError
from bottlecrm_mcp.gateway.in_process.deadline import Deadline
from bottlecrm_mcp.hosted.token_policy import is_installed
from bottlecrm_mcp.tools.confirmation.confirm import ConfirmationRequired
from bottlecrm_mcp.tools.errors import ToolError

logger = logging.getLogger("bottlecrm_mcp")

RECORD_SECONDS = 5

T = TypeVar("T")

# Outcomes after which the CRM may hold something new; after any other it is as it was.
MAY_HAVE_CHANGED = frozenset({"done", "timeout", "crm_error", "internal_error"})


@dataclass(frozen=True)
class Write:
    """A call of a tool that may write, or a file that leaves the CRM."""

    tool: str
    entity: str
    record_id: str
    client: str


def install() -> None:
    """Let the pages of the event log link to records, where `pat_tokens` is installed."""
    if not is_installed():
        return
    from pat_tokens.mcp_endpoint import link_records

    link_records(_address_of)


def _address_of(entity: str, record_id: str) -> str:
    known = mcp_settings().catalogue.target(entity)
    return known.web_address_of(record_id, mcp_settings().web_address) if known else ""


def audited(write: Write | None, caller: Caller, work: Callable[[], T], deadline: Deadline) -> T:
    """Do the work, and leave one entry in the log if it is a write, however it ends.

    The entry has time of its own where that of the call is over.
    """
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
    if not _has_only_asked(answer):
        said = tuple(answer.get("changed") or filter(None, [answer.get("action")]))
        record(_outcome(answer), str(answer.get("id") or ""), said)
    return result


def _has_only_asked(answer: dict[str, Any]) -> bool:
    """Whether the call only got a preview, or an address for a file."""
    return bool(answer.get("confirmation_required")) or "upload" in (answer.get("result") or {})


def _outcome(answer: dict[str, Any]) -> str:
    if "declined" in answer:
        return "declined"
    return "repeated" if answer.get("repeated") else "done"


def _record(
    caller: Caller,
    write: Write,
    deadline: Deadline,
    outcome: str,
    record_id: str = "",
    fields: tuple[str, ...] = (),
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
            fields=fields,
            refused=outcome not in MAY_HAVE_CHANGED,
        )
    except Exception:
        # The write itself is done, and must not be reported as failed.
        logger.exception("A write through %s could not be recorded", write.tool)
