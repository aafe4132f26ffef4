"""Global search: crm_search over all entities at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bottlecrm_mcp.catalogue.model import CREATED, Entity, Field, Kind
from bottlecrm_mcp.gateway.base import RowQuery
from bottlecrm_mcp.gateway.shared.folding import folded, in_order, phone_digits, words_of
from bottlecrm_mcp.tools.arguments.scalars import require_few_words
from bottlecrm_mcp.tools.crm import Crm, label_names
from bottlecrm_mcp.tools.errors import ToolError
from bottlecrm_mcp.tools.searches.one_entity import MOST_SIMILAR, EntitySearch, search_entities

ALL = "all"
MOST_OF_EACH = 10


def search_all(crm: Crm, query: str, limit: int) -> dict[str, Any]:
    """A few matches of every kind that the token may read: the best first, then the newest."""
    words = query.strip()
    if not words:
        raise ToolError("invalid_arguments", f"entity {ALL!r} needs a query: words to look for.")
    require_few_words(words)
    most = min(limit, MOST_OF_EACH)
    searched = [each for each in crm.catalogue.entities if each.search_fields]
    searches = [
        EntitySearch(each, RowQuery(_columns(each), words, limit=most)) for each in searched
    ]
    found = search_entities(crm, searches)
    if not any(page.total for _, page in found.pages):
        # What is spelled alike takes a look at every record.
        alike = [
            each._replace(query=replace(each.query, similar=MOST_SIMILAR)) for each in searches
        ]
        found = search_entities(crm, alike).with_similar()
    matches = [(search.entity, row) for search, page in found.pages for row in page.rows]
    matches.sort(key=lambda match: match[1].get(CREATED, ""), reverse=True)
    matches.sort(key=lambda match: _distance(words, crm.label(*match)))
    rows = [_row(crm, entity, row, words) for entity, row in matches[:limit]]
    return {**found.as_result(ALL, rows), "query": words}


def _columns(entity: Entity) -> tuple[Field, ...]:
    names = {*entity.columns, *label_names(entity), *_searched(entity), CREATED}
    return tuple(field for field in entity.fields if field.name in names and field.listed)


def _searched(entity: Entity) -> tuple[str, ...]:
    phones = tuple(each.name for each in entity.fields if each.kind is Kind.PHONE)
    return tuple(dict.fromkeys((*entity.search_fields, *phones)))


def _distance(words: str, name: str) -> int:
    """How far a name is from the words that were looked for."""
    words, name = folded(in_order(words)), folded(name)
    if name == words:
        return 0
    if name.startswith(words):
        return 1
    return 2 if words in name else 3


def _row(crm: Crm, entity: Entity, row: Mapping[str, Any], words: str) -> dict[str, Any]:
    name = crm.label(entity, row)
    matched = _matched(entity, row, name, words)
    shown = {
        key: value
        for key, value in row.items()
        if key in matched or (key in entity.columns and key not in label_names(entity))
    }
    why = {"matched": matched} if matched else {}
    return {"entity": entity.name, "id": row["id"], "name": name, **shown, **why}


def _matched(entity: Entity, row: Mapping[str, Any], name: str, words: str) -> list[str]:
    """The fields that hold what was looked for, where the name does not say it all."""
    wanted = words_of(words)
    if all(word in folded(name) for word in wanted):
        return []
    number = phone_digits(words)
    return [
        field
        for field in _searched(entity)
        if any(word in folded(str(row.get(field, ""))) for word in wanted)
        or (number and number in phone_digits(str(row.get(field, ""))))
    ]
