"""Unpaginated lists, which the CRM sends whole: searched, ordered and counted in memory.

Used by every gateway for the entities that are not `paged`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from bottlecrm_mcp.catalogue.model import CREATED, Entity, Field, Window
from bottlecrm_mcp.gateway.base import (
    Caller,
    Condition,
    NotAvailable,
    Page,
    Read,
    Refused,
    Reply,
    RowQuery,
    Summary,
    SummaryQuery,
)
from bottlecrm_mcp.gateway.shared import in_memory
from bottlecrm_mcp.gateway.shared.folding import words_of
from bottlecrm_mcp.gateway.shared.rows import row_of, rows_at

Row = Mapping[str, Any]


def page(read: Read, entity: Entity, query: RowQuery) -> Page:
    """One page of what matches. Raises `NotAvailable` or `Refused`."""
    found = in_memory.matching(rows(read, entity, query.conditions), query.conditions)
    if query.either:
        found = [
            row for row in found if any(in_memory.matching([row], each) for each in query.either)
        ]
    if query.query:
        found = in_memory.holding_words(found, words_of(query.query), entity.search_fields)
    window = in_memory.ordered(found, query.sort or newest(entity))
    window = window[query.offset : query.offset + query.limit]
    narrowed = entity.window is not None and not _says(entity.window.field, query.conditions)
    limits = (entity.hidden_note,) if narrowed else ()
    return Page(only(query.columns, window), len(found), limits)


def summarize(read: Read, entity: Entity, query: SummaryQuery, caller: Caller) -> Summary:
    """Counts and sums over the whole list, in memory."""
    found = in_memory.matching(rows(read, entity, query.conditions), query.conditions)
    return in_memory.summarize(found, query, caller.zone)


def find(
    read: Read, entity: Entity, ids: Sequence[str], columns: Sequence[Field]
) -> Mapping[str, Row]:
    """The rows of these ids that the list holds, by id."""
    wanted = [row for row in rows(read, entity) if row["id"] in ids]
    return {row["id"]: row for row in only(columns, wanted)}


def rows(read: Read, entity: Entity, conditions: Sequence[Condition] = ()) -> list[Row]:
    """Every row of the list, or of the part of it that these conditions are about."""
    return [row_of(entity.fields, row) for row in shown(read, entity, conditions)]


def shown(read: Read, entity: Entity, conditions: Sequence[Condition] = ()) -> list[Row]:
    """The same as the CRM shows them."""
    parameters = dict(entity.list_parameters)
    if entity.window is not None:
        parameters |= _part(entity, entity.window, conditions)
    reply = read(entity.path, parameters)
    if not reply.ok:
        raise Refused(reply)
    return [row for section in entity.sections for row in rows_at(reply.data, section.rows)]


def read_once(read: Read) -> Read:
    """The same way to the CRM, which asks for each list once."""
    replies: dict[tuple[Any, ...], Reply] = {}

    def known(path: str, parameters: Mapping[str, Any]) -> Reply:
        key = (path, *sorted(parameters.items()))
        if key not in replies:
            replies[key] = read(path, parameters)
        return replies[key]

    return known


def _part(entity: Entity, window: Window, conditions: Sequence[Condition]) -> dict[str, str]:
    """Which days of whose list these conditions ask for."""
    bounds = {
        each.operator: date.fromisoformat(each.value[:10])
        for each in conditions
        if each.field.name == window.field and each.operator in ("gte", "lte")
    }
    # Whatever day it is there, tomorrow has not begun.
    end = bounds.get("lte") or datetime.now(UTC).date() + timedelta(days=1)
    start = bounds.get("gte") or end - min(timedelta(days=window.days), end - date.min)
    if (end - start).days > window.most_days:
        raise NotAvailable(
            f"{entity.name} are read for {window.most_days} days at most. "
            f"Narrow {window.field} with __gte and __lte."
        )
    parameters = {window.start: start.isoformat(), window.end: max(start, end).isoformat()}
    for each in conditions:
        if each.field.name == window.whose:
            if each.operator != "eq":
                raise NotAvailable(f"{entity.name} are read for one {window.whose} at a time.")
            parameters[window.whose] = str(each.value)
    return parameters


def _says(name: str, conditions: Sequence[Condition]) -> bool:
    return any(each.field.name == name for each in conditions)


def newest(entity: Entity) -> in_memory.Order:
    """The order where none is asked for."""
    created = entity.field(CREATED)
    return ((created, True),) if created else ()


def only(columns: Sequence[Field], found: Sequence[Row]) -> list[Row]:
    """These rows with no more than the given fields."""
    names = {"id", *(field.name for field in columns)}
    return [{key: value for key, value in row.items() if key in names} for row in found]
