"""crm_get: one record, and what belongs to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bottlecrm_mcp.catalogue.model import COMMENTS, Entity, Field, Included
from bottlecrm_mcp.gateway.base import Condition, RowQuery
from bottlecrm_mcp.gateway.shared.rows import dig, part_of, row_of, rows_at
from bottlecrm_mcp.tools.arguments.references import record_meant
from bottlecrm_mcp.tools.crm import Crm, untrusted_fields
from bottlecrm_mcp.tools.errors import ToolError, raise_for, suggest
from bottlecrm_mcp.tools.schemas import ANYTHING, ENTITY, RECORD_ID, TEXT, a_list
from bottlecrm_mcp.tools.tool import Tool
from bottlecrm_mcp.tools.truncation import (
    LONGEST_IN_RECORD,
    MOST_CHARACTERS,
    cut_fields,
    cut_texts,
    shortened,
    size,
)

MOST_INCLUDED = 20
LONGEST_PART = 500


def crm_get(
    crm: Crm, *, entity: str, id: str, include: Sequence[str] | None = None
) -> dict[str, Any]:
    """Every published field of a record that has a value, and the lists asked for."""
    shown = crm.entity(entity)
    crm.require_scope(shown, "read")
    record_id = record_meant(crm, shown, id)
    wanted = [included(shown, name) for name in dict.fromkeys(include or ())]
    detail: Mapping[str, Any] | None = None
    if any(each.rows and not each.path for each in wanted):
        detail = crm.detail(shown, record_id)
        record = row_of(shown.fields, dig(detail, shown.detail_key))
    else:
        record = crm.record(shown, record_id)
    result: dict[str, Any] = {
        "entity": shown.name,
        "id": record_id,
        "record": shortened(record, LONGEST_IN_RECORD),
    }
    for each in wanted:
        result[each.name] = _list(crm, shown, each, record_id, detail)
    outsiders = untrusted_fields(shown, record)
    outsiders += [each.name for each in wanted if each.untrusted and result[each.name]["total"]]
    if outsiders:
        result["untrusted"] = outsiders
    if notes := _notes(record, result, wanted):
        result["notes"] = notes
    return result


def _notes(
    record: Mapping[str, Any], result: dict[str, Any], wanted: Sequence[Included]
) -> list[str]:
    """What was cut, and how to get it; lists are dropped last to first until the rest fits."""
    notes = [
        f"{name} has {len(record[name])} characters and was cut; the CRM itself shows all of it."
        for name in cut_fields(record)
    ]
    for each in reversed(wanted):
        if size(result) <= MOST_CHARACTERS:
            break
        total = result.pop(each.name)["total"]
        notes.append(f"{each.name} ({total}) did not fit; ask for it in a call of its own.")
    return notes


def included(entity: Entity, name: str) -> Included:
    """The part of a record by its name. Raises `ToolError`, which names the nearest."""
    found = next((each for each in entity.includes if each.name == name), None)
    if found is not None:
        return found
    if name == COMMENTS and entity.no_comments:
        raise ToolError("not_supported", entity.no_comments)
    names = [each.name for each in entity.includes]
    raise ToolError(
        "invalid_arguments", f"{entity.name} can't include {name!r}. {suggest(name, names)}"
    )


def part_rows(
    crm: Crm,
    entity: Entity,
    part: Included,
    record_id: str,
    detail: Mapping[str, Any] | None = None,
) -> list[Mapping[str, Any]]:
    """The rows of a list that belongs to a record, from its detail or from a path of its own.

    The record itself must have been read as the caller: some of these paths check no access.
    """
    if part.path:
        parameters = {key: value.format(id=record_id) for key, value in part.parameters}
        reply = crm.gateway.read(part.path.format(id=record_id), parameters)
        raise_for(reply, f"the {part.name.replace('_', ' ')} of {entity.singular} {record_id}")
        rows = rows_at(reply.data, part.rows)
    else:
        rows = rows_at(detail or crm.detail(entity, record_id), part.rows)
    if part.newest_by:
        return sorted(rows, key=lambda row: str(row.get(part.newest_by)), reverse=True)
    return rows


def _list(
    crm: Crm,
    entity: Entity,
    part: Included,
    record_id: str,
    detail: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """A list that belongs to the record, bounded and counted."""
    if part.entity:
        return _related(crm, part, record_id)
    rows = part_rows(crm, entity, part, record_id, detail)
    shown = [_shown(part_of(row, part.keys)) for row in rows[:MOST_INCLUDED]]
    return {"total": len(rows), "returned": len(shown), "records": shown}


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    cut = shortened(row, LONGEST_PART)
    return {
        key: value if isinstance(value, str) else cut_texts(value, LONGEST_PART)
        for key, value in cut.items()
    }


def _related(crm: Crm, part: Included, record_id: str) -> dict[str, Any]:
    """Records of another entity, read through that entity's own access rule."""
    related = crm.entity(part.entity)
    by = related.field(part.by)
    if by is None:
        raise ToolError("not_supported", f"{part.name} can't be listed here.")
    columns: tuple[Field, ...] = tuple(
        field for field in related.fields if field.name in related.columns and field != by
    )
    pointing_here = (Condition(by, "eq", record_id),)
    query = RowQuery(columns, conditions=pointing_here, limit=MOST_INCLUDED, exact=True)
    page = crm.page(related, query)
    return {
        "total": page.total,
        "returned": len(page.rows),
        "records": [shortened(row) for row in page.rows],
    }


GET = Tool(
    name="crm_get",
    title="Get a record",
    description=(
        "Every field of one record, and with `include` its comments, attachments and related "
        "records (crm_describe lists what can be included)."
    ),
    run=crm_get,
    arguments={
        "entity": ENTITY,
        "id": RECORD_ID,
        "include": a_list(TEXT, maxItems=10),
    },
    required=("entity", "id"),
    result={
        "entity": TEXT,
        "id": TEXT,
        "record": ANYTHING,
        "untrusted": a_list(TEXT),
        "notes": a_list(TEXT),
    },
    needs="read",
    idempotent=True,
)
