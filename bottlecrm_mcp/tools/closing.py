"""Closing: a day on which a record can't have been closed yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bottlecrm_mcp.catalogue.model import Entity
from bottlecrm_mcp.tools.crm import Crm

CLOSED_ON = "closed_on"


def closed_ahead(
    crm: Crm, entity: Entity, record: Mapping[str, Any] | None, written: Iterable[str]
) -> list[str]:
    """What to tell of a record that was closed now and keeps the day that was expected for it."""
    opened = entity.open
    if record is None or opened is None or not {opened.field, CLOSED_ON} & set(written):
        return []
    day = record.get(CLOSED_ON) or ""
    if record.get(opened.field) in (None, *opened.values) or day <= crm.clock.today.isoformat():
        return []
    return [
        f"{CLOSED_ON} is {day}, which is yet to come: set it to the day on which this "
        f"{entity.singular} was closed. Sums by {CLOSED_ON} count it there."
    ]
