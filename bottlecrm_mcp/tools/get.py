"""crm_get: one record or several, and what belongs to them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from bottlecrm_mcp.catalogue.model import COMMENTS, Entity, Field, Included, Kind
from bottlecrm_mcp.gateway.base import Condition, RowQuery
from bottlecrm_mcp.gateway.shared.rows import part_of, row_of, rows_at, without_empty
from bottlecrm_mcp.tools.arguments.references import MOST_LISTED, record_meant
from bottlecrm_mcp.tools.crm import Crm, untrusted_fields
from bottlecrm_mcp.tools.errors import ToolError, raise_for, suggest
from bottlecrm_mcp.tools.schemas import ANYTHING, ENTITY, LIST, RECORD_ID, TEXT, WHOLE, a_list
from bottlecrm_mcp.tools.tool import Tool
from bottlecrm_mcp.tools.truncation import (
    LONGEST_IN_RECORD,
    MOST_CHARACTERS,
    cut_texts,
    rows_that_fit,
    shortened,
    size,
)

MOST_INCLUDED = 20
LONGEST_PART = 500
# Of each text where several records are asked for.
LONGEST_OF_SEVERAL = 500
# What is wrong with all of them, not with one.
ENDS_THE_CALL = ("insufficient_scope", "unauthorized", "crm_error")


def crm_get(
    crm: Crm,
    *,
    entity: str,
    id: str = "",
    ids: Sequence[str] | None = None,
    include: Sequence[str] | None = None,
    text_offset: int = 0,
) -> dict[str, Any]:
    """Every published field of a record that has a value, and the lists asked for."""
    shown = crm.entity(entity)
    crm.require_scope(shown, "read")
    if bool(id) == (ids is not None):
        raise ToolError("invalid_arguments", "Give either `id` or `ids`.")
    wanted = [included(shown, name) for name in dict.fromkeys(include or ())]
    if ids is not None:
        return _several(crm, shown, list(dict.fromkeys(ids)), wanted)
    record_id = record_meant(crm, shown, id)
    got = _read(crm, shown, record_id, crm.record(shown, record_id), wanted)
    record = got["record"]
    result: dict[str, Any] = {"entity": shown.name, "id": record_id, **got}
    result["record"] = _from(record, text_offset)
    notes = [*_texts_left(record, text_offset), *_without_excess(result, wanted)]
    return {**result, "notes": notes} if notes else result


def _several(
    crm: Crm, entity: Entity, ids: Sequence[str], wanted: Sequence[Included]
) -> dict[str, Any]:
    """As many of these records as fit; what is wrong with one of them does not hide the others."""
    found: dict[str, dict[str, Any]] = {}
    errors, left, used = [], [], 0
    for named in ids:
        if used > MOST_CHARACTERS:
            left.append(named)
            continue
        try:
            record_id = record_meant(crm, entity, named)
            if record_id not in found:
                found[record_id] = _short(crm, entity, record_id, wanted)
                used += size(found[record_id])
        except ToolError as problem:
            if problem.code in ENDS_THE_CALL:
                raise
            errors.append({"id": named, **problem.as_dict()["error"]})
    outsiders = dict.fromkeys(name for each in found.values() for name in each.pop("untrusted", ()))
    records = rows_that_fit(list(found.values()))
    left = [*list(found)[len(records) :], *left]
    notes = []
    if any(_texts_over(each["record"], LONGEST_OF_SEVERAL) for each in records):
        notes.append(f"Texts of more than {LONGEST_OF_SEVERAL} characters were cut.")
    if left:
        notes.append(f"Not all fit; ask for these in another call: {', '.join(left)}.")
    more = {"errors": errors, "untrusted": list(outsiders), "notes": notes}
    return {"entity": entity.name, "records": records, **without_empty(more)}


def _short(crm: Crm, entity: Entity, record_id: str, wanted: Sequence[Included]) -> dict[str, Any]:
    got = _read(crm, entity, record_id, crm.record(entity, record_id), wanted)
    return {**got, "record": shortened(got["record"], LONGEST_OF_SEVERAL)}


def _read(
    crm: Crm,
    entity: Entity,
    record_id: str,
    record: Mapping[str, Any],
    wanted: Sequence[Included],
) -> dict[str, Any]:
    """The record with the lists that belong to it; nothing in it comes twice."""

    @cache
    def detail() -> Mapping[str, Any]:
        return crm.detail(entity, record_id)

    lists = {each.name: _list(crm, entity, each, record_id, detail) for each in wanted}
    twice = {each.name for each in wanted if _has_same_rows(entity, each)}
    kept = {name: value for name, value in record.items() if name not in twice}
    outsiders = untrusted_fields(entity, kept)
    outsiders += [each.name for each in wanted if each.untrusted and lists[each.name]["total"]]
    untrusted = {"untrusted": outsiders} if outsiders else {}
    return {"record": kept, **lists, **untrusted}


def _has_same_rows(entity: Entity, part: Included) -> bool:
    """Whether a field of the record lists what the part does, such as line items."""
    field = entity.field(part.name)
    return field is not None and field.kind is Kind.OBJECTS


def _from(record: Mapping[str, Any], offset: int) -> dict[str, Any]:
    """The record with long texts from the offset on, as much of them as one answer takes."""
    rest = {name: record[name][offset:] for name in _texts_over(record, LONGEST_IN_RECORD)}
    return shortened({**record, **rest}, LONGEST_IN_RECORD)


def _texts_left(record: Mapping[str, Any], offset: int) -> list[str]:
    """Which part of each long text is shown, and how to read on."""
    notes = []
    for name in _texts_over(record, LONGEST_IN_RECORD):
        length, end = len(record[name]), offset + LONGEST_IN_RECORD
        more = f"; go on with text_offset={end}" if end < length else ""
        notes.append(
            f"{name} has {length} characters; shown are those from {offset} to "
            f"{min(end, length)}{more}."
        )
    return notes


def _texts_over(record: Mapping[str, Any], longest: int) -> list[str]:
    return [key for key, each in record.items() if isinstance(each, str) and len(each) > longest]


def _without_excess(result: dict[str, Any], wanted: Sequence[Included]) -> list[str]:
    """Lists are dropped last to first until the rest fits; which were."""
    notes = []
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
    detail: Callable[[], Mapping[str, Any]] | None = None,
) -> Sequence[Mapping[str, Any]]:
    """The rows of a list that belongs to a record, from its detail or from a path of its own.

    The record itself must have been read as the caller: some of these paths check no access.
    """
    if part.model:
        rows = crm.gateway.attached(entity, record_id, part)
        if rows is not None:
            return rows
    if part.path:
        parameters = {key: value.format(id=record_id) for key, value in part.parameters}
        reply = crm.gateway.read(part.path.format(id=record_id), parameters)
        raise_for(reply, f"the {part.name.replace('_', ' ')} of {entity.singular} {record_id}")
        rows = rows_at(reply.data, part.rows)
    else:
        whole = detail() if detail else crm.detail(entity, record_id)
        rows = _with_names(crm, part, rows_at(whole, part.rows))
    if part.newest_by:
        return sorted(rows, key=lambda row: str(row.get(part.newest_by)), reverse=True)
    return rows


def _with_names(
    crm: Crm, part: Included, rows: Sequence[Mapping[str, Any]]
) -> Sequence[Mapping[str, Any]]:
    """The rows with people by their names: a detail answer has e-mail addresses, or ids alone."""
    shown = [row_of(part.fields, row) for row in rows] if part.fields else rows
    for field in part.fields:
        people, key = crm.catalogue.looked_up_in(field.to)
        if not (field.kind.is_relation and rows and people and crm.may(people, "read")):
            continue
        found = crm.page(people, RowQuery(people.fields, limit=MOST_LISTED)).rows
        names = {row[key]: crm.label(people, row) for row in found}
        shown = [_named(row, field.name, names) for row in shown]
    return shown


def _named(row: Mapping[str, Any], key: str, names: Mapping[str, str]) -> Mapping[str, Any]:
    person = row.get(key)
    if not person or person["id"] not in names:
        return row
    return {**row, key: {**person, "name": names[person["id"]]}}


def _list(
    crm: Crm,
    entity: Entity,
    part: Included,
    record_id: str,
    detail: Callable[[], Mapping[str, Any]],
) -> dict[str, Any]:
    """A list that belongs to the record, bounded and counted."""
    if part.entity:
        return _related(crm, part, record_id)
    rows = part_rows(crm, entity, part, record_id, detail)
    shown = [_shown(part_of(row, part.keys)) for row in rows[:MOST_INCLUDED]]
    listed = {"total": len(rows), "returned": len(shown)}
    if not (part.file and crm.files and shown):
        return {**listed, "records": shown}
    files, said = crm.files.add_to(entity, record_id, part, shown)
    return {**listed, "records": files, "links": said}


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
        "Every field of one record or of several, and with `include` comments, attachments and "
        "related records (crm_describe lists what can be included)."
    ),
    run=crm_get,
    arguments={
        "entity": ENTITY,
        "id": RECORD_ID,
        "ids": a_list(TEXT, minItems=1, maxItems=20, description="Instead of id."),
        "include": a_list(TEXT, maxItems=10),
        "text_offset": {**WHOLE, "minimum": 0, "default": 0},
    },
    required=("entity",),
    result={
        "entity": TEXT,
        "id": TEXT,
        "record": ANYTHING,
        "records": LIST,
        "errors": LIST,
        "untrusted": LIST,
        "notes": LIST,
    },
    needs="read",
    idempotent=True,
)
