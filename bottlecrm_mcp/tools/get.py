"""crm_get: one record, and what belongs to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bottlecrm_mcp.catalogue.model import Entity, Field, Included
from bottlecrm_mcp.gateway.base import Condition, RowQuery
from bottlecrm_mcp.gateway.rows import dig, reference, row_of, without_empty
from bottlecrm_mcp.tools.crm import Crm, require_id
from bottlecrm_mcp.tools.errors import ToolError, suggest

MOST_INCLUDED = 20


def crm_get(
    crm: Crm, *, entity: str, id: str, include: Sequence[str] | None = None
) -> dict[str, Any]:
    """Every published field of a record that has a value, and the lists asked for."""
    shown = crm.entity(entity)
    record_id = require_id(shown, id)
    wanted = [_included(shown, name) for name in dict.fromkeys(include or ())]
    detail: Mapping[str, Any] | None = None
    if any(each.detail for each in wanted):
        detail = crm.detail(shown, record_id)
        record = row_of(shown.fields, dig(detail, shown.detail_key))
    else:
        record = crm.record(shown, record_id)
    result: dict[str, Any] = {"entity": shown.name, "id": record_id, "record": record}
    for each in wanted:
        result[each.name] = (
            from_detail(each, detail or {}) if each.detail else _related(crm, each, record_id)
        )
    return result


def _included(entity: Entity, name: str) -> Included:
    for each in entity.includes:
        if each.name == name:
            return each
    if name == "comments" and entity.no_comments:
        raise ToolError("not_supported", entity.no_comments)
    names = [each.name for each in entity.includes]
    raise ToolError(
        "invalid_arguments", f"{entity.name} can't include {name!r}. {suggest(name, names)}"
    )


def from_detail(included: Included, detail: Mapping[str, Any]) -> dict[str, Any]:
    """A list that the detail answer carries, bounded and counted."""
    rows = dig(detail, included.detail) or []
    shown = [_listed(row, included.keys) for row in rows[:MOST_INCLUDED]]
    return {"total": len(rows), "returned": len(shown), "records": shown}


def _listed(row: Mapping[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    listed = without_empty(row, keys)
    return {
        key: (reference(value) if isinstance(value, Mapping) else value)
        for key, value in listed.items()
    }


def _related(crm: Crm, included: Included, record_id: str) -> dict[str, Any]:
    """Records of another entity, read through that entity's own access rule."""
    related = crm.entity(included.entity)
    by = related.field(included.by)
    if by is None:
        raise ToolError("not_supported", f"{included.name} can't be listed here.")
    columns: tuple[Field, ...] = tuple(
        field for field in related.fields if field.name in related.columns and field != by
    )
    query = RowQuery(columns, conditions=(Condition(by, "eq", record_id),), limit=MOST_INCLUDED)
    page = crm.page(related, query)
    return {"total": page.total, "returned": len(page.rows), "records": list(page.rows)}
