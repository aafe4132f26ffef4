"""crm_search: one entity, all of them, or what waits for the person."""

from __future__ import annotations

from typing import Any

from bottlecrm_mcp.gateway.base import DEFAULT_LIMIT
from bottlecrm_mcp.tools.crm import Crm
from bottlecrm_mcp.tools.errors import ToolError
from bottlecrm_mcp.tools.schemas import ANYTHING, ENTITY, LIST, TEXT, WHOLE, a_list, an_object, text
from bottlecrm_mcp.tools.searches.all_entities import ALL, search_all
from bottlecrm_mcp.tools.searches.duplicates import search_duplicates
from bottlecrm_mcp.tools.searches.my_day import MY_DAY, my_day
from bottlecrm_mcp.tools.searches.one_entity import search_entity
from bottlecrm_mcp.tools.tool import Tool


def crm_search(
    crm: Crm,
    *,
    entity: str,
    limit: int = DEFAULT_LIMIT,
    duplicates_of: str | None = None,
    **others: Any,
) -> dict[str, Any]:
    given = others if duplicates_of is None else {**others, "duplicates_of": duplicates_of}
    if entity == ALL:
        _require_only(entity, given, "query", "limit")
        return search_all(crm, others.get("query", ""), limit)
    if entity == MY_DAY:
        _require_only(entity, given, "limit")
        return my_day(crm, limit)
    if duplicates_of is not None:
        _require_only("with duplicates_of", given, "duplicates_of", "limit")
        return search_duplicates(crm, crm.entity(entity), duplicates_of, limit)
    return search_entity(crm, entity=entity, limit=limit, **others)


def _require_only(entity: str, given: dict[str, Any], *taken: str) -> None:
    # Some clients send the schema's defaults, or empty values, for what nobody asked for.
    said = (name for name, value in given.items() if value)
    if surplus := ", ".join(name for name in said if name not in taken):
        raise ToolError(
            "invalid_arguments",
            f"entity {entity!r} takes no {surplus}, only {' and '.join(taken)}.",
            hint="crm_search of one entity takes the others.",
        )


FILTERS = an_object(
    "field: value, field: [a, b], field__not, __gt, __gte, __lt, __lte, __contains, __is_empty: "
    "true; custom_fields.KEY; is_open: true; account.industry; id: []; any: [{}, {}] (or). Dates: "
    "ISO, today, last_30_days, 2026-11, 2026-Q4, overdue and the like. People, accounts, tags by "
    "id or name; 'me' is the person."
)

SEARCH = Tool(
    name="crm_search",
    title="Search records",
    description=(
        "Search records the person can see, newest first: a few identifying fields each, and the "
        "total (up to 10,000). entity=all looks for a query everywhere; entity=my_day lists what "
        "waits for the person: tasks, cases, follow-ups, deals, invoices."
    ),
    run=crm_search,
    arguments={
        "entity": ENTITY,
        "query": text("Words to look for in names, e-mails and the like."),
        "filters": FILTERS,
        "fields": a_list(
            TEXT, maxItems=20, description="Fields to return instead of the default ones."
        ),
        "sort": text("A field, with - in front for descending: -amount. Default newest."),
        "limit": {**WHOLE, "minimum": 1, "maximum": 50, "default": DEFAULT_LIMIT},
        "duplicates_of": text("A record whose duplicates are sought, or all."),
        "offset": {**WHOLE, "minimum": 0, "maximum": 1_000_000, "default": 0},
    },
    required=("entity",),
    result={
        "entity": TEXT,
        "records": LIST,
        "total": WHOLE,
        "returned": WHOLE,
        "next_offset": WHOLE,
        "totals": ANYTHING,
        "filters": ANYTHING,
        "query": TEXT,
        "untrusted": LIST,
        "notes": LIST,
    },
    needs="read",
    idempotent=True,
    beyond_entities=(ALL, MY_DAY),
)
