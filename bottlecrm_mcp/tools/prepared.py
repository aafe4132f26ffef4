"""Prepared writes: one change to one record, read and checked, and not made yet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bottlecrm_mcp.gateway.base import Watched, WriteKey
from bottlecrm_mcp.tools.confirmation.confirm import Change, Confirmation, require_confirmation
from bottlecrm_mcp.tools.crm import Crm

Write = Callable[[WriteKey | None], "WriteResult"]


@dataclass(frozen=True)
class WriteResult:
    """What came of a write: the tool's answer, and the values that changed in full."""

    answer: dict[str, Any]
    changed: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Prepared:
    """A write that only waits for its confirmation.

    `details` are those of its preview, `differs` says of each field what it holds and what it would
    hold. It is not `needed` where the record is so already. `watched` is None where nothing tells
    whether the record is as it was read. `only_shown` is that of `require_confirmation`. `write`
    raises what the gateway raises, and `ToolError` for what the CRM refuses.
    """

    change: Change
    details: Mapping[str, Any]
    write: Write
    name: str = ""
    needed: bool = True
    differs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    watched: Watched | None = None
    only_shown: Callable[[], Mapping[str, Any]] = dict


def confirmed(
    crm: Crm, prepared: Prepared, given: Confirmation, key: WriteKey | None
) -> dict[str, Any]:
    """The tool's answer to a write that is made now, if it is confirmed."""
    require_confirmation(crm, prepared.change, given, prepared.details, prepared.only_shown)
    return prepared.write(key).answer
