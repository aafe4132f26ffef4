"""Lists that the CRM sends whole: searched, ordered and counted in memory.

Used by every gateway for the entities that are not `paged`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bottlecrm_mcp.catalogue.model import Entity, Field
from bottlecrm_mcp.gateway import fold
from bottlecrm_mcp.gateway.base import (
    Caller,
    NotAvailable,
    Page,
    Read,
    Refused,
    RowQuery,
    Summary,
    SummaryQuery,
)
from bottlecrm_mcp.gateway.rows import dig, row_of

Row = Mapping[str, Any]


def page(read: Read, entity: Entity, query: RowQuery) -> Page:
    """One page of what matches. Raises `NotAvailable` or `Refused`."""
    for condition in query.conditions:
        if condition.custom_key:
            raise NotAvailable(f"{entity.name} have no custom fields.")
    found = fold.matching(rows(read, entity), query.conditions)
    if query.either:
        found = [row for row in found if any(fold.matching([row], each) for each in query.either)]
    found = fold.holding_words(found, query.query.split(), entity.search_fields)
    window = fold.ordered(found, query.sort or newest(entity))
    window = window[query.offset : query.offset + query.limit]
    return Page(only(query.columns, window), len(found))


def summarize(read: Read, entity: Entity, query: SummaryQuery, caller: Caller) -> Summary:
    found = fold.matching(rows(read, entity), query.conditions)
    return fold.summarize(found, query, caller.zone)


def find(
    read: Read, entity: Entity, ids: Sequence[str], columns: Sequence[Field]
) -> Mapping[str, Row]:
    wanted = [row for row in rows(read, entity) if row["id"] in ids]
    return {row["id"]: row for row in only(columns, wanted)}


def rows(read: Read, entity: Entity) -> list[Row]:
    """Every row of the list, with every field."""
    reply = read(entity.path, entity.list_parameters)
    if not reply.ok:
        raise Refused(reply)
    return [
        row_of(entity.fields, row)
        for section in entity.sections
        for row in dig(reply.data, section.rows) or ()
    ]


def newest(entity: Entity) -> fold.Order:
    """The order where none is asked for."""
    created = entity.field("created_at")
    return ((created, True),) if created else ()


def only(columns: Sequence[Field], found: Sequence[Row]) -> list[Row]:
    """These rows with no more than the given fields."""
    names = {"id", *(field.name for field in columns)}
    return [{key: value for key, value in row.items() if key in names} for row in found]
