"""crm_search: one entity, all of them, or what waits for the person."""

from __future__ import annotations

from typing import Any

from bottlecrm_mcp.tools.crm import Crm
from bottlecrm_mcp.tools.entity_search import search_entity
from bottlecrm_mcp.tools.errors import ToolError
from bottlecrm_mcp.tools.my_day import MY_DAY, my_day
from bottlecrm_mcp.tools.search_all import ALL, search_all

MOST_BY_DEFAULT = 20


def crm_search(
    crm: Crm, *, entity: str, limit: int = MOST_BY_DEFAULT, **others: Any
) -> dict[str, Any]:
    if entity == ALL:
        _require_only(entity, others, "query", "limit")
        return search_all(crm, others.get("query", ""), limit)
    if entity == MY_DAY:
        _require_only(entity, others, "limit")
        return my_day(crm, limit)
    return search_entity(crm, entity=entity, limit=limit, **others)


def _require_only(entity: str, given: dict[str, Any], *taken: str) -> None:
    if surplus := ", ".join(name for name in given if name not in taken):
        raise ToolError(
            "invalid_arguments",
            f"entity {entity!r} takes no {surplus}, only {' and '.join(taken)}.",
            hint="crm_search of one entity takes the others.",
        )
