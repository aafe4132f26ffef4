"""Global search: crm_search over all entities at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bottlecrm_mcp.catalogue.model import CREATED, Entity, Field
from bottlecrm_mcp.gateway.base import RowQuery
from bottlecrm_mcp.tools.arguments.scalars import require_few_words
from bottlecrm_mcp.tools.crm import Crm, label_names
from bottlecrm_mcp.tools.errors import ToolError
from bottlecrm_mcp.tools.searches.one_entity import EntitySearch, search_entities

ALL = "all"
MOST_OF_EACH = 10


def search_all(crm: Crm, query: str, limit: int) -> dict[str, Any]:
    """A few matches of every kind that the token may read: the best first, then the newest."""
    words = query.strip()
    if not words:
        raise ToolError("invalid_arguments", f"entity {ALL!r} needs a query: words to look for.")
    require_few_words(words)
    most = min(limit, MOST_OF_EACH)
    found = search_entities(
        crm,
        [
            EntitySearch(each, RowQuery(_columns(each), words, limit=most))
            for each in crm.catalogue.entities
            if each.search_fields
        ],
    )
    matches = [(search.entity, row) for search, page in found.pages for row in page.rows]
    matches.sort(key=lambda match: match[1].get(CREATED, ""), reverse=True)
    matches.sort(key=lambda match: _distance(words, crm.label(*match)))
    rows = [_row(crm, entity, row) for entity, row in matches[:limit]]
    return {**found.as_result(ALL, rows), "query": words}


def _columns(entity: Entity) -> tuple[Field, ...]:
    names = {*entity.columns, *label_names(entity), CREATED}
    return tuple(field for field in entity.fields if field.name in names)


def _distance(words: str, name: str) -> int:
    """How far a name is from the words that were looked for."""
    words, name = words.casefold(), name.casefold()
    if name == words:
        return 0
    if name.startswith(words):
        return 1
    return 2 if words in name else 3


def _row(crm: Crm, entity: Entity, row: Mapping[str, Any]) -> dict[str, Any]:
    shown = {
        key: value
        for key, value in row.items()
        if key in entity.columns and key not in label_names(entity)
    }
    return {"entity": entity.name, "id": row["id"], "name": crm.label(entity, row), **shown}
