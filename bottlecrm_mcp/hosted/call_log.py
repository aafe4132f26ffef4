"""Call log: what one call of a tool leaves in the log of `pat_tokens`, where that is installed.

Names and ids only: whatever a client or a record says beyond them stays out.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bottlecrm_mcp import telemetry
from bottlecrm_mcp.catalogue.model import CUSTOM_FIELDS, Action, Entity
from bottlecrm_mcp.gateway.base import Caller
from bottlecrm_mcp.hosted.token_policy import is_installed
from bottlecrm_mcp.tools.arguments.filters import EITHER, IS_OPEN
from bottlecrm_mcp.tools.arguments.scalars import is_id
from bottlecrm_mcp.tools.tool import Tool

Json = Mapping[str, Any]

# Outcomes by the word of the access log; any other is the code of a refusal.
OUTCOMES = {
    telemetry.OK: ("ok", ""),
    telemetry.REPEATED: ("ok", telemetry.REPEATED),
    telemetry.CONFIRMATION_REQUIRED: ("preview", ""),
}
# Faults of the server or of the CRM, rather than answers to what was asked.
ERRORS = frozenset(
    {
        "busy",
        "crm_error",
        "disconnected",
        "internal_error",
        "misconfigured",
        "not_saved",
        "timeout",
        "unavailable",
    }
)
# Filters that are no fields.
OTHER_FILTERS = (EITHER, IS_OPEN, "id", CUSTOM_FIELDS)


@dataclass
class ToolCall:
    """One call of a tool; `result` is its structured answer, once there is one.

    `meant` are the ids of the records that its arguments name, as they are found. `outcome` is that
    of what is no call of a tool, but reads as one does.
    """

    tool: Tool
    entity: Entity | None
    arguments: Json
    client: tuple[str, str]
    began: datetime = field(default_factory=lambda: datetime.now(UTC))
    result: Json = field(default_factory=dict)
    outcome: str = ""
    meant: list[str] = field(default_factory=list)

    @property
    def entity_name(self) -> str:
        """The entity, or what the tool takes in its place: anything else might be a value."""
        if self.entity is not None:
            return self.entity.name
        named = self.arguments.get("entity")
        return str(named) if named in self.tool.beyond_entities else ""

    @property
    def record_ids(self) -> list[str]:
        """Of the records that it is about; of a search only their number is told."""
        if "returned" in self.result:
            return []
        one = [self.result.get("id") or self.arguments.get("id")]
        listed = self.result.get("done") or self.result.get("records") or self.arguments.get("ids")
        several = [each.get("id") if isinstance(each, Mapping) else each for each in _list(listed)]
        found = [*one, *several, *self.meant]
        return list(dict.fromkeys(str(each).lower() for each in found if is_id(each)))

    @property
    def records(self) -> int:
        returned = self.result.get("returned")
        return returned if isinstance(returned, int) else 0

    @property
    def field_names(self) -> list[str]:
        """The action, then the fields that a write changed or was to change, and the filters."""
        names = [*_keys(self.result.get("changed") or self.arguments.get("data"))]
        for each in _list(self.arguments.get("records")):
            names += _keys(each)
        names += _filter_names(self.result.get("filters") or self.arguments.get("filters"))
        action = action_of(self.tool, self.entity, self.arguments)
        fields = sorted({known for each in names if (known := self._known(each))})
        return [action.name, *fields] if action else fields

    def _known(self, name: str) -> str:
        """The field that a name is of; empty for what is none, which might be a value."""
        first = name.split("__")[0].split(".")[0]
        is_field = self.entity is not None and self.entity.field(first) is not None
        return first if is_field or first in OTHER_FILTERS else ""


def action_of(tool: Tool, entity: Entity | None, arguments: Json) -> Action | None:
    """The action that a call of crm_action names; any other name might be a value."""
    named = arguments.get("action")
    if tool.name != "crm_action" or entity is None or not isinstance(named, str):
        return None
    return entity.action(named)


@contextmanager
def logged(call: ToolCall, caller: Caller) -> Iterator[ToolCall]:
    """Leave one row, however what is within ends. Its outcome is that of the access log."""
    if not is_installed():
        yield call
        return
    started = time.monotonic()
    try:
        yield call
    finally:
        said = call.outcome or telemetry.outcome() or "disconnected"
        _record(call, caller, said, round((time.monotonic() - started) * 1000))


def record_refused(call: ToolCall, caller: Caller) -> None:
    """Leave a row for a call that needs more than its connection allows."""
    if is_installed():
        _record(call, caller, "insufficient_scope", 0)


def _record(call: ToolCall, caller: Caller, said: str, ms: int) -> None:
    from pat_tokens.mcp_endpoint import record_call

    outcome, code = OUTCOMES.get(said, ("error" if said in ERRORS else "refused", said))
    facts = {
        "org_id": caller.org_id,
        "actor_id": caller.profile_id,
        "token_id": caller.token_id,
        "tool": call.tool.name,
        "entity": call.entity_name,
        "outcome": outcome,
        "code": code,
    }
    record_ids, fields = call.record_ids, call.field_names
    record_call(
        **facts,
        actor=caller.email,
        token_name=caller.token_name,
        client=call.client,
        writes=call.tool.needs == "write",
        began=call.began,
        ms=ms,
        record_ids=record_ids,
        records=call.records,
        fields=fields,
    )
    telemetry.emit_call(**facts, ms=ms, record_ids=" ".join(record_ids), fields=" ".join(fields))


def _filter_names(filters: Any) -> Iterator[str]:
    for name in _keys(filters):
        yield name
        if name == EITHER:
            for each in _list(filters[EITHER]):
                yield from _keys(each)


def _keys(value: Any) -> list[str]:
    return [str(each) for each in value] if isinstance(value, Mapping) else []


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
