"""crm_search: list and search records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bottlecrm_mcp.catalogue.model import Entity, Field
from bottlecrm_mcp.gateway.base import Page, RowQuery
from bottlecrm_mcp.tools.budget import rows_that_fit, shortened
from bottlecrm_mcp.tools.crm import Crm
from bottlecrm_mcp.tools.errors import ToolError, suggest
from bottlecrm_mcp.tools.filters import Filters
from bottlecrm_mcp.tools.scalars import require_few_words


def crm_search(
    crm: Crm,
    *,
    entity: str,
    query: str = "",
    filters: Mapping[str, Any] | None = None,
    fields: Sequence[str] | None = None,
    sort: str = "",
    limit: int = 20,
    offset: int = 0,
) -> dict[str, Any]:
    """Rows of an entity that the caller can see: few columns, a total, where to go on."""
    searched = crm.entity(entity)
    crm.require_scope(searched, "read")
    require_few_words(query)
    understood = Filters(crm, searched).read(filters or {})
    page = crm.page(
        searched,
        RowQuery(
            columns=_columns(searched, fields),
            query=query.strip(),
            conditions=tuple(understood.conditions),
            sort=_sort(searched, sort),
            limit=limit,
            offset=offset,
        ),
    )
    records = rows_that_fit([shortened(row) for row in page.rows])
    result: dict[str, Any] = {
        "entity": searched.name,
        "records": records,
        "total": page.total,
        "returned": len(records),
        "filters": understood.understood,
    }
    if query.strip():
        result["query"] = query.strip()
    if offset + len(records) < page.total and records:
        result["next_offset"] = offset + len(records)
    if outsiders := untrusted_fields(searched, *records):
        result["untrusted"] = outsiders
    notes = _notes(searched, page, offset, bool(query or filters))
    if len(records) < len(page.rows):
        notes.append("Fewer records than asked for fit into one answer; go on at next_offset.")
    if notes:
        result["notes"] = notes
    return result


def untrusted_fields(entity: Entity, *records: Mapping[str, Any]) -> list[str]:
    """The fields in these records that people outside the organisation may have written."""
    return [
        field.name
        for field in entity.fields
        if field.untrusted and any(field.name in record for record in records)
    ]


def _columns(entity: Entity, names: Sequence[str] | None) -> tuple[Field, ...]:
    chosen = []
    listed = [field.name for field in entity.fields if field.listed and not field.computed]
    for name in names or entity.columns:
        field = entity.field(name)
        if name == "id":
            continue
        if field is None:
            raise ToolError(
                "unknown_field", f"{entity.name} have no field {name!r}. {suggest(name, listed)}"
            )
        if name not in listed:
            raise ToolError("not_supported", f"{name} is not in lists; crm_get shows it.")
        chosen.append(field)
    return tuple(dict.fromkeys(chosen))


def sortable(entity: Entity) -> list[str]:
    return [each.name for each in entity.fields if each.kind.can_sort and not each.computed]


def _sort(entity: Entity, sort: str) -> tuple[tuple[Field, bool], ...]:
    order = []
    for part in filter(None, (each.strip() for each in sort.split(","))):
        name = part.removeprefix("-")
        field = entity.field(name)
        if field is None or name not in sortable(entity):
            raise ToolError(
                "unknown_field",
                f"{entity.name} can't be sorted by {name!r}. {suggest(name, sortable(entity))}",
            )
        order.append((field, part.startswith("-")))
    return tuple(order)


def _notes(entity: Entity, page: Page, offset: int, narrowed: bool) -> list[str]:
    notes = list(page.limits)
    if not page.total:
        wider = " Try fewer filters or another word." if narrowed else ""
        notes.append(f"0 results.{wider}")
        if entity.hidden_note:
            notes.append(entity.hidden_note)
    elif not page.rows:
        notes.append(f"offset {offset} is beyond the last of {page.total} records.")
    return notes
