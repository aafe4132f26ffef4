"""Audit of writes: an entry each in the event log of `pat_tokens`, where that is installed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from bottlecrm_mcp.conf import mcp_settings
from bottlecrm_mcp.gateway.base import Caller, GatewayError, Written
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
    """A call of a tool that may write, or a file that leaves the CRM; `action` is of crm_action.

    `by_name` says that it names one record, whose id is yet to be found.
    """

    tool: str
    entity: str
    record_id: str
    client: str
    action: str = ""
    by_name: bool = False


def install() -> None:
    """Let the pages of the event log link to records, where `pat_tokens` is installed."""
    if not is_installed():
        return
    from pat_tokens.mcp_endpoint import link_records

    link_records(_address_of)


def _address_of(entity: str, record_id: str) -> str:
    known = mcp_settings().catalogue.target(entity)
    return known.web_address_of(record_id, mcp_settings().web_address) if known else ""


class Audit:
    """The entries that one call leaves in the log.

    Each write that is done has one, made in its own transaction: there is no write without it.
    What became of a call that did none has one after it.
    """

    def __init__(
        self,
        write: Write | None,
        caller: Caller,
        deadline: Deadline,
        fields: tuple[str, ...] = (),
        meant: Sequence[str] = (),
    ) -> None:
        self.write = write if is_installed() else None
        self.caller = caller
        self.deadline = deadline
        # What is said to have changed where the write does not tell.
        self.fields = fields
        # The ids of the records that are named, as they are found, that of the write first.
        self.meant = meant
        self.is_done = False

    def note(self, written: Written) -> None:
        """Within the transaction of a write, where the organisation is set."""
        if self.write is not None:
            fields = written.fields or self.fields
            self._record(self.write, "done", written.record_id, fields, is_within=True)
            self.is_done = True

    def of(self, work: Callable[[], T]) -> T:
        """Do the work of the call, and see that it leaves an entry, however it ends."""
        if self.write is None:
            return work()
        try:
            result = work()
        except ConfirmationRequired:
            raise
        except (ToolError, GatewayError) as error:
            self._tell(self.write, error.code)
            raise
        except Exception:
            self._tell(self.write, "internal_error")
            raise
        answer = result if isinstance(result, dict) else {}
        if not (self.is_done or _has_only_asked(answer)):
            self._tell(self.write, _outcome(answer), str(answer.get("id") or ""))
        return result

    def _tell(self, write: Write, outcome: str, record_id: str = "") -> None:
        if write.by_name and self.meant:
            record_id = record_id or self.meant[0]
        # The entry has time of its own where that of the call is over.
        self.deadline.extend(RECORD_SECONDS)
        try:
            self._record(write, outcome, record_id, (write.action,) if write.action else ())
        except Exception:
            # Nothing was written, or what was has its entry.
            logger.exception("What became of %s could not be recorded", write.tool)

    def _record(
        self,
        write: Write,
        outcome: str,
        record_id: str,
        fields: tuple[str, ...] = (),
        *,
        is_within: bool = False,
    ) -> None:
        from pat_tokens.mcp_endpoint import record_write

        caller = self.caller
        record_write(
            org_id=caller.org_id,
            actor_id=caller.profile_id,
            actor=caller.email,
            token_id=caller.token_id,
            token_name=caller.token_name,
            token_prefix=caller.token_prefix,
            client=write.client,
            tool=write.tool,
            entity=write.entity,
            record_id=record_id or write.record_id,
            outcome=outcome,
            fields=fields,
            is_refused=outcome not in MAY_HAVE_CHANGED,
            is_within=is_within,
        )


def _has_only_asked(answer: dict[str, Any]) -> bool:
    """Whether the call only got a preview, or an address for a file."""
    return bool(answer.get("confirmation_required")) or "upload" in (answer.get("result") or {})


def _outcome(answer: dict[str, Any]) -> str:
    if "declined" in answer:
        return "declined"
    return "repeated" if answer.get("repeated") else "done"
