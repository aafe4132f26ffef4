"""Aggregation: counts and sums on the records that the caller may see, by the database."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Aggregate, Avg, Count, DateField, DateTimeField, F, Max, Min, Sum
from django.db.models.functions import (
    TruncDay,
    TruncMonth,
    TruncQuarter,
    TruncWeek,
    TruncYear,
)

from bottlecrm_mcp.catalogue.model import CURRENCY, Field, Kind
from bottlecrm_mcp.gateway.base import Grouping, Measure, RowQuery, Summary, SummaryQuery
from bottlecrm_mcp.gateway.in_process.records import Records, scalar
from bottlecrm_mcp.gateway.shared.group_labels import CENT, LABELS, NONE

FUNCTIONS: Mapping[str, type[Aggregate]] = {"sum": Sum, "avg": Avg, "min": Min, "max": Max}
PERIODS = {
    "day": TruncDay,
    "week": TruncWeek,
    "month": TruncMonth,
    "quarter": TruncQuarter,
    "year": TruncYear,
}


def summarize(records: Records, query: SummaryQuery) -> Summary:
    """Groups by falling first measure, or by date where a date is grouped by.

    A many-valued relation puts a record into each of its groups; the totals count records once.
    """
    # Without order_by() the model's own ordering would split the groups.
    matching = records.matching(RowQuery((), conditions=query.conditions), ()).order_by()
    measures = {_name(index): _aggregate(each) for index, each in enumerate(query.measures)}
    groups, count = _groups(records, matching, query, measures) if query.groupings else ([], 0)
    return Summary(groups, count, _totals(matching, query, measures))


def _groups(
    records: Records, matching: Any, query: SummaryQuery, measures: Mapping[str, Aggregate]
) -> tuple[list[dict[str, Any]], int]:
    """The first groups, and how many there are in all."""
    paths = [path for each in query.groupings for path in _paths(records, each)]
    periods = {
        each.key.replace(":", "_by_"): _period(each) for each in query.groupings if each.period
    }
    grouped = matching.annotate(**periods).values(*paths).annotate(**measures)
    order = [F(name).asc(nulls_last=True) for name in periods] or [
        F(_name(0)).desc(nulls_last=True)
    ]
    rows = list(grouped.order_by(*order, *(F(path).asc() for path in paths))[: query.limit])
    count = len(rows) if len(rows) < query.limit else grouped.count()
    groups = [{**_group(records, query, row), **_measured(query.measures, row)} for row in rows]
    return groups, count


def _totals(matching: Any, query: SummaryQuery, measures: Mapping[str, Aggregate]) -> list[Any]:
    if not any(each.field and each.field.money for each in query.measures):
        return [_measured(query.measures, matching.aggregate(**measures))]
    by_currency = matching.values(CURRENCY).annotate(**measures).order_by(CURRENCY)
    return [
        {CURRENCY: row[CURRENCY] or NONE, **_measured(query.measures, row)} for row in by_currency
    ]


def _name(index: int) -> str:
    return f"measure_{index}"


def _aggregate(measure: Measure) -> Aggregate:
    if measure.field is None:
        return Count("pk")
    return FUNCTIONS[measure.function](measure.field.attribute)


def _period(grouping: Grouping) -> Any:
    kind = DateField if grouping.field.kind is Kind.DATE else DateTimeField
    # In the active time zone, which is the organisation's.
    return PERIODS[grouping.period](grouping.field.attribute, output_field=kind())


def _paths(records: Records, grouping: Grouping) -> tuple[str, ...]:
    if grouping.period:
        return (grouping.key.replace(":", "_by_"),)
    return records.paths(grouping.field)


def _group(records: Records, query: SummaryQuery, row: Mapping[str, Any]) -> dict[str, Any]:
    return {each.key: _value(records, each, row) for each in query.groupings}


def _value(records: Records, grouping: Grouping, row: Mapping[str, Any]) -> Any:
    field: Field = grouping.field
    if grouping.period:
        start = row[grouping.key.replace(":", "_by_")]
        if start is None:
            return NONE
        return LABELS[grouping.period](start.date() if isinstance(start, datetime) else start)
    if field.kind.is_relation:
        return records.reference(field, row) or NONE
    value = scalar(row[field.attribute])
    return NONE if value in (None, "") else value


def _measured(measures: tuple[Measure, ...], row: Mapping[str, Any]) -> dict[str, Any]:
    measured = {}
    for index, measure in enumerate(measures):
        value = row[_name(index)]
        if value is None:
            continue
        if measure.function == "avg":
            value = Decimal(value).quantize(CENT)
        measured[measure.key] = scalar(value)
    return measured
