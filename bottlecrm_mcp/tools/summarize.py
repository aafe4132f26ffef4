"""crm_summarize: counts, sums and the like, computed by the database over what the caller sees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bottlecrm_mcp.catalogue.model import CURRENCY, Entity, Kind
from bottlecrm_mcp.gateway.base import Grouping, Measure, SummaryQuery
from bottlecrm_mcp.tools.arguments.filters import Filters
from bottlecrm_mcp.tools.arguments.measures import grouping_of, measure_of
from bottlecrm_mcp.tools.crm import Crm
from bottlecrm_mcp.tools.errors import ToolError
from bottlecrm_mcp.tools.largest_groups import added_up, largest, only
from bottlecrm_mcp.tools.schemas import ANYTHING, ENTITY, LIST, TEXT, WHOLE, a_list, an_object
from bottlecrm_mcp.tools.tool import Tool
from bottlecrm_mcp.tools.truncation import rows_that_fit

MOST_GROUPS = 100
# So many are added up where only the largest are asked for.
MOST_ADDED_UP = 10_000


def crm_summarize(
    crm: Crm,
    *,
    entity: str,
    group_by: Sequence[str] | None = None,
    measures: Sequence[str] | None = None,
    filters: Mapping[str, Any] | None = None,
    top: int = 0,
) -> dict[str, Any]:
    summarized = crm.entity(entity)
    crm.require_scope(summarized, "read")
    understood = Filters(crm, summarized).read(filters or {})
    groupings = tuple(grouping_of(crm, summarized, each) for each in dict.fromkeys(group_by or ()))
    chosen = tuple(
        measure_of(crm, summarized, each) for each in dict.fromkeys(measures or ("count",))
    )
    apart = _currency_apart(summarized, groupings, chosen)
    if top and not groupings:
        raise ToolError("invalid_arguments", "top: There are groups only with group_by.")
    query = SummaryQuery(
        (*groupings, *apart),
        (*chosen, *added_up(chosen)) if top else chosen,
        tuple(understood.conditions),
        limit=MOST_ADDED_UP + 1 if top else MOST_GROUPS,
    )
    summary = crm.summarize(summarized, query)
    keys = [each.key for each in chosen]
    totals = [only(each, [CURRENCY, *keys]) for each in summary.totals]
    found = [dict(each) for each in summary.groups]
    count = summary.group_count
    if top:
        if count > MOST_ADDED_UP:
            raise ToolError(
                "not_supported",
                f"There are {count} groups, of which {MOST_ADDED_UP} can be added up. Filter more.",
            )
        found = largest(found, groupings, apart, chosen, top)
        count = len(found)
    groups = rows_that_fit(found)
    result: dict[str, Any] = {
        "entity": summarized.name,
        "groups": groups,
        "total": totals[0] if len(totals) == 1 else {"by_currency": totals},
        "filters": understood.understood,
    }
    several = bool(apart) and len({each.get(CURRENCY) for each in found}) > 1
    notes = [*_notes(crm, groupings, several), *_hidden(summarized), *understood.notes]
    if len(groups) < count:
        shown = f"The first {len(groups)} of {count} groups are shown"
        notes.insert(0, f"{shown}; the total is of all. Filters give the others.")
    if notes:
        result["notes"] = notes
    return result


def _currency_apart(
    entity: Entity, groupings: tuple[Grouping, ...], measures: tuple[Measure, ...]
) -> tuple[Grouping, ...]:
    """Money in different currencies is never added up."""
    currency = entity.field(CURRENCY)
    if currency is None or not groupings or any(each.field is currency for each in groupings):
        return ()
    has_money = any(each.field is not None and each.field.money for each in measures)
    return (Grouping(currency),) if has_money else ()


def _hidden(entity: Entity) -> list[str]:
    return [entity.hidden_note] if entity.hidden_note else []


def _notes(crm: Crm, groupings: tuple[Grouping, ...], apart: bool) -> list[str]:
    notes = []
    looked_into = {each.through[1].name for each in groupings if each.through}
    if looked_into and not crm.caller.is_admin:
        names = " and ".join(sorted(looked_into))
        notes.append(f"What belongs to {names} that this person can't see counts as (none).")
    relations = [each.through[0] if each.through else each.field for each in groupings]
    notes += [
        f"Groups go by the record's own {each.name}; a filter by {each.name} finds those of "
        f"{each.also.name}, too, which can be grouped by itself."
        for each in relations
        if each.also
    ]
    many = [each.field.name for each in groupings if each.field.kind is Kind.RELATIONS]
    if many:
        notes.append(
            f"A record with several {' and '.join(many)} counts in each of their groups; the "
            "total counts it once."
        )
    if apart:
        notes.append("Amounts in different currencies are kept apart.")
    return notes


SUMMARIZE = Tool(
    name="crm_summarize",
    title="Count and sum records",
    description=(
        "Counts, sums, averages over the records the person can see, in groups: pipeline by "
        "stage, overdue invoices by account. Use it instead of adding up search results."
    ),
    run=crm_summarize,
    arguments={
        "entity": ENTITY,
        "group_by": a_list(
            TEXT,
            maxItems=2,
            description="A field, is_open, account.industry, or created_at:month (day, week, "
            "quarter, year).",
        ),
        "measures": a_list(
            TEXT,
            maxItems=6,
            description="count (default); sum:, avg:, min:, max:FIELD; "
            "avg:days:created_at:closed_on; share:status=closed.",
        ),
        "filters": an_object("As in crm_search."),
        "top": {
            **WHOLE,
            "minimum": 1,
            "maximum": 50,
            "description": "Only the largest, the rest as others.",
        },
    },
    required=("entity",),
    result={
        "entity": TEXT,
        "groups": LIST,
        "total": ANYTHING,
        "filters": ANYTHING,
        "notes": LIST,
    },
    needs="read",
    idempotent=True,
)
