"""REST query: a search by the CRM's list, its query parameters, its envelope, its limits.

Used by every gateway whose CRM has no faster way, so that the answer is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from bottlecrm_mcp.catalogue.model import Entity, Kind
from bottlecrm_mcp.gateway.base import Condition, NotAvailable, Page, Read, Refused, RowQuery
from bottlecrm_mcp.gateway.shared import unpaged_list
from bottlecrm_mcp.gateway.shared.rows import dig, row_of

COMPARED_AS_TEXT = (Kind.CHOICE, Kind.DATE)


def rest_page(read: Read, entity: Entity, query: RowQuery) -> Page:
    """One page of the REST list. Raises `NotAvailable` or `Refused`."""
    if not entity.paged:
        return unpaged_list.page(read, entity, query)
    if query.either:
        return first_alternative(lambda narrowed: rest_page(read, entity, narrowed), query)
    parameters = dict(entity.list_parameters)
    if query.query:
        if not entity.search_parameter:
            raise NotAvailable(f"{entity.name} can't be searched for words here. Use filters.")
        parameters[entity.search_parameter] = query.query
    for condition in query.conditions:
        parameters.update(_parameter(entity, condition))
    parameters.update(_order(entity, query))
    return _collect(read, entity, query, parameters)


def first_alternative(page: Callable[[RowQuery], Page], query: RowQuery) -> Page:
    """The page by the first of several alternatives, which is all that a REST list can heed."""
    first = query.either[0]
    found = page(replace(query, conditions=(*query.conditions, *first), either=()))
    only = " and ".join(condition.key for condition in first)
    return replace(found, limits=(*found.limits, f"The REST API finds these by {only} only."))


def takes(entity: Entity, condition: Condition) -> bool:
    """Whether the REST list can filter by this."""
    try:
        _parameter(entity, condition)
    except NotAvailable:
        return False
    return True


def _parameter(entity: Entity, condition: Condition) -> dict[str, Any]:
    rest = entity.rest_filters.get(condition.key)
    field = condition.field
    # The list compares text, which no number or truth value is.
    if field.custom_key and condition.operator == "eq" and field.kind in COMPARED_AS_TEXT:
        return {f"cf_{field.custom_key}": _text(condition.value)}
    if rest is None:
        raise NotAvailable(
            f"{entity.name} can't be filtered by {condition.key} here. "
            f"Filters: {', '.join(entity.rest_filters) or 'none'}."
        )
    if condition.operator == "in" and not rest.repeats:
        raise NotAvailable(f"{condition.key} takes one value here, not a list.")
    values = condition.value if condition.operator == "in" else (condition.value,)
    return {rest.parameter: [_text(value) for value in values]}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _order(entity: Entity, query: RowQuery) -> dict[str, str]:
    if not query.sort:
        return {}
    (field, descending), *rest = query.sort
    if rest or field.name not in entity.rest_sort:
        raise NotAvailable(
            f"{entity.name} can't be sorted by {', '.join(each.name for each, _ in query.sort)} "
            f"here. Sort by one of: {', '.join(entity.rest_sort) or 'nothing'}."
        )
    return {entity.rest_sort[field.name]: ("-" if descending else "") + field.name}


def _collect(read: Read, entity: Entity, query: RowQuery, parameters: dict[str, Any]) -> Page:
    """Rows of all sections, as one list: each section is paged with the same limit and offset."""
    envelope = _ask(read, entity, parameters, query.limit, query.offset)
    totals = [int(dig(envelope, section.total) or 0) for section in entity.sections]
    rows: list[Mapping[str, Any]] = []
    start = 0
    for section, total in zip(entity.sections, totals, strict=True):
        missing = query.limit - len(rows)
        offset = max(0, query.offset + len(rows) - start)
        if missing > 0 and offset < total:
            if offset != query.offset:
                envelope = _ask(read, entity, parameters, missing, offset)
            rows += (dig(envelope, section.rows) or [])[:missing]
        start += total
    return Page([row_of(query.columns, row) for row in rows], sum(totals))


def _ask(
    read: Read, entity: Entity, parameters: dict[str, Any], limit: int, offset: int
) -> Mapping[str, Any]:
    reply = read(entity.path, {**parameters, "limit": max(limit, 1), "offset": offset})
    if not reply.ok or not isinstance(reply.data, dict):
        raise Refused(reply)
    return reply.data
