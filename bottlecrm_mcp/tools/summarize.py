"""crm_summarize: counts, sums and the like, computed by the database over what the caller sees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bottlecrm_mcp.catalogue.model import CURRENCY, Entity, Field, Kind
from bottlecrm_mcp.gateway.base import Grouping, Measure, NotAvailable, Refused, SummaryQuery
from bottlecrm_mcp.tools.arguments.filters import Filters
from bottlecrm_mcp.tools.crm import Crm
from bottlecrm_mcp.tools.errors import ToolError, raise_for, suggest
from bottlecrm_mcp.tools.schemas import ANYTHING, ENTITY, TEXT, a_list, an_object
from bottlecrm_mcp.tools.tool import Tool
from bottlecrm_mcp.tools.truncation import rows_that_fit

PERIODS = ("day", "week", "month", "quarter", "year")
FUNCTIONS = ("sum", "avg", "min", "max")
MOST_GROUPS = 100


def crm_summarize(
    crm: Crm,
    *,
    entity: str,
    group_by: Sequence[str] | None = None,
    measures: Sequence[str] | None = None,
    filters: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    summarized = crm.entity(entity)
    crm.require_scope(summarized, "read")
    understood = Filters(crm, summarized).read(filters or {})
    groupings = tuple(_grouping(summarized, each) for each in dict.fromkeys(group_by or ()))
    chosen = tuple(_measure(summarized, each) for each in dict.fromkeys(measures or ("count",)))
    apart = _currency_apart(summarized, groupings, chosen)
    query = SummaryQuery(
        (*groupings, *apart), chosen, tuple(understood.conditions), limit=MOST_GROUPS
    )
    try:
        summary = crm.gateway.summarize(summarized, query)
    except NotAvailable as limit:
        raise ToolError("not_supported", str(limit)) from limit
    except Refused as refusal:
        raise_for(refusal.reply, summarized.name)
        raise
    totals = list(summary.totals)
    groups = rows_that_fit([dict(each) for each in summary.groups])
    result: dict[str, Any] = {
        "entity": summarized.name,
        "groups": groups,
        "total": totals[0] if len(totals) == 1 else {"by_currency": totals},
        "filters": understood.understood,
    }
    notes = [*_notes(summarized, groupings, bool(apart)), *understood.notes]
    if len(groups) < summary.group_count:
        shown = f"The first {len(groups)} of {summary.group_count} groups are shown"
        notes.insert(0, f"{shown}; the total is of all. Filters give the others.")
    if notes:
        result["notes"] = notes
    return result


def groupable(entity: Entity) -> list[str]:
    return [field.name for field in entity.fields if _can_group(field)]


def measurable(entity: Entity) -> list[str]:
    return [field.name for field in entity.fields if field.kind.is_ordered and not field.computed]


def _can_group(field: Field) -> bool:
    return not field.computed and field.kind not in (Kind.DECIMAL, Kind.OBJECT, Kind.OBJECTS)


def _grouping(entity: Entity, wanted: str) -> Grouping:
    name, _, period = wanted.partition(":")
    field = entity.field(name)
    if field is None or not _can_group(field):
        raise ToolError(
            "unknown_field",
            f"{entity.name} can't be grouped by {name!r}. {suggest(name, groupable(entity))}",
        )
    if field.kind in (Kind.DATE, Kind.DATETIME):
        if period and period not in PERIODS:
            raise ToolError(
                "invalid_value", f"{period!r} is not a period. {suggest(period, PERIODS)}"
            )
        return Grouping(field, period or "day")
    if period:
        raise ToolError("invalid_value", f"{name} is not a date and has no periods.")
    return Grouping(field)


def _measure(entity: Entity, wanted: str) -> Measure:
    function, _, name = wanted.partition(":")
    if wanted == "count":
        return Measure("count")
    if function not in FUNCTIONS or not name:
        raise ToolError(
            "invalid_value",
            f"{wanted!r} is not a measure. Use count, or sum, avg, min, max with a field: "
            "sum:amount.",
        )
    field = entity.field(name)
    if field is None or name not in measurable(entity):
        raise ToolError(
            "unknown_field",
            f"{entity.name} have no number or date {name!r}. {suggest(name, measurable(entity))}",
        )
    if function in ("sum", "avg") and field.kind in (Kind.DATE, Kind.DATETIME):
        raise ToolError("invalid_value", f"{name} is a date: it has min and max only.")
    return Measure(function, field)


def _currency_apart(
    entity: Entity, groupings: tuple[Grouping, ...], measures: tuple[Measure, ...]
) -> tuple[Grouping, ...]:
    """Money in different currencies is never added up."""
    currency = entity.field(CURRENCY)
    if currency is None or not groupings or any(each.field is currency for each in groupings):
        return ()
    has_money = any(each.field is not None and each.field.money for each in measures)
    return (Grouping(currency),) if has_money else ()


def _notes(entity: Entity, groupings: tuple[Grouping, ...], apart: bool) -> list[str]:
    notes = []
    many = [each.field.name for each in groupings if each.field.kind is Kind.RELATIONS]
    if many:
        notes.append(
            f"A record with several {' and '.join(many)} counts in each of their groups; the "
            "total counts it once."
        )
    if apart:
        notes.append("Amounts in different currencies are kept apart.")
    if entity.hidden_note:
        notes.append(entity.hidden_note)
    return notes


SUMMARIZE = Tool(
    name="crm_summarize",
    title="Count and sum records",
    description=(
        "Counts, sums, averages, minimum and maximum over the records the person can see, in "
        "groups: pipeline by stage, leads per source, overdue invoices by account. Use it "
        "instead of adding up search results."
    ),
    run=crm_summarize,
    arguments={
        "entity": ENTITY,
        "group_by": a_list(
            TEXT,
            maxItems=2,
            description="Up to two fields; a date with a period: created_at:month "
            "(day, week, month, quarter, year).",
        ),
        "measures": a_list(
            TEXT,
            maxItems=6,
            description="count (default), sum:FIELD, avg:FIELD, min:FIELD, max:FIELD.",
        ),
        "filters": an_object("As in crm_search."),
    },
    required=("entity",),
    result={
        "entity": TEXT,
        "groups": a_list(ANYTHING),
        "total": ANYTHING,
        "filters": ANYTHING,
        "notes": a_list(TEXT),
    },
    needs="read",
    idempotent=True,
)
