"""Aggregation: counts and sums on the records that the caller may see, by the database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import (
    Aggregate,
    Avg,
    Case,
    Count,
    DateField,
    DateTimeField,
    ExpressionWrapper,
    F,
    FloatField,
    Func,
    Max,
    Min,
    QuerySet,
    Sum,
    Value,
    When,
)
from django.db.models.functions import (
    Cast,
    TruncDate,
    TruncDay,
    TruncMonth,
    TruncQuarter,
    TruncWeek,
    TruncYear,
)

from bottlecrm_mcp.catalogue.model import CURRENCY, CUSTOM_FIELDS, Entity, Field, Kind
from bottlecrm_mcp.gateway.base import (
    Grouping,
    Measure,
    RowQuery,
    Summary,
    SummaryQuery,
)
from bottlecrm_mcp.gateway.in_process import expressions
from bottlecrm_mcp.gateway.in_process.records import Records, scalar
from bottlecrm_mcp.gateway.shared.group_labels import CENT, LABELS, NONE, SHARE

FUNCTIONS: Mapping[str, type[Aggregate]] = {
    "sum": Sum,
    "avg": Avg,
    "min": Min,
    "max": Max,
    "values": Count,
}
PERIODS = {
    "day": TruncDay,
    "week": TruncWeek,
    "month": TruncMonth,
    "quarter": TruncQuarter,
    "year": TruncYear,
}
SECONDS_A_DAY = 86_400

Row = Mapping[str, Any]


def summarize(
    records: Records, entity: Entity, query: SummaryQuery, visible: Mapping[str, QuerySet[Any]]
) -> Summary:
    """Groups by falling first measure, or by date where a date is grouped by.

    A many-valued relation puts a record into each of its groups; the totals count records once.
    `visible` are the records that a grouping through a relation may look into, by its key.
    """
    needed = RowQuery(tuple(_fields(query)), conditions=query.conditions)
    # Without order_by() the model's own ordering would split the groups.
    matching = records.matching(needed, entity).order_by()
    measures = {
        _name(index): _aggregate(records, each) for index, each in enumerate(query.measures)
    }
    groups = [_Group(records, index, each, visible) for index, each in enumerate(query.groupings)]
    found, count = _groups(matching, query, groups, measures) if groups else ([], 0)
    return Summary(found, count, _totals(matching, query, measures) if query.counted else ())


def _groups(
    matching: Any,
    query: SummaryQuery,
    groups: Sequence[_Group],
    measures: Mapping[str, Aggregate],
) -> tuple[list[dict[str, Any]], int]:
    """The first groups, and how many there are in all."""
    paths = [path for each in groups for path in each.paths]
    computed = {each.name: each.expression for each in groups if each.expression is not None}
    grouped = matching.annotate(**computed).values(*paths).annotate(**measures)
    order = [F(each.name).asc(nulls_last=True) for each in groups if each.grouping.period] or [
        F(_name(0)).desc(nulls_last=True)
    ]
    rows = list(grouped.order_by(*order, *(F(path).asc() for path in paths))[: query.limit])
    is_all = len(rows) < query.limit or not query.counted
    count = len(rows) if is_all else grouped.count()
    shown = [
        {**{each.grouping.key: each.shown(row) for each in groups}, **_measured(query, row)}
        for row in rows
    ]
    return shown, count


def _fields(query: SummaryQuery) -> Iterator[Field]:
    """The fields of the entity itself that a summary is about."""
    for grouping in query.groupings:
        if not grouping.through and not grouping.holds:
            yield grouping.field
    for measure in query.measures:
        yield from filter(None, (measure.field, measure.until))
        yield from (each.field for each in measure.holds)


class _Group:
    """A grouping in the database: what is computed for it, by what names it is grouped."""

    def __init__(
        self,
        records: Records,
        index: int,
        grouping: Grouping,
        visible: Mapping[str, QuerySet[Any]],
    ) -> None:
        self.records = records
        self.grouping = grouping
        self.name = f"group_{index}"
        self.expression = self._expression(visible)
        computed = self.expression is not None
        self.paths = (self.name,) if computed else records.paths(grouping.field)

    def _expression(self, visible: Mapping[str, QuerySet[Any]]) -> Any:
        grouping, field = self.grouping, self.grouping.field
        if grouping.holds:
            held = self.records.holding(grouping.holds)
            return Case(When(held, then=Value(True)), default=Value(False))
        value: Any = F(field.attribute)
        if grouping.through:
            value = _through(grouping.through[0], field, visible[grouping.key])
        if grouping.folded:
            known = field.kind is Kind.PHONE
            same = expressions.digits(value) if known else expressions.folded_text(value)
            return expressions.text(same, "nullif", Value(""))
        if grouping.period:
            kind = DateField if field.kind is Kind.DATE else DateTimeField
            # In the active time zone, which is the organisation's.
            return PERIODS[grouping.period](value, output_field=kind())
        return value if grouping.through else None

    def shown(self, row: Row) -> Any:
        field = self.grouping.field
        if self.expression is None and field.kind.is_relation:
            return self.records.reference(field, row) or NONE
        value = row[self.paths[0]]
        if value in (None, ""):
            return NONE
        if self.grouping.period:
            return LABELS[self.grouping.period](
                value.date() if isinstance(value, datetime) else value
            )
        return scalar(value)


def _through(relation: Field, field: Field, visible: QuerySet[Any]) -> Any:
    """A field of the record that a relation points to; nothing of one that the caller can't see."""
    name = f"{relation.attribute}__{field.attribute}"
    value: Any = F(name)
    if field.custom_key:
        column = f"{relation.attribute}__{CUSTOM_FIELDS}"
        value = expressions.custom_value(column, field.custom_key, field.kind)
    return Case(When(**{f"{relation.attribute}__in": visible.values("pk")}, then=value))


def _totals(matching: Any, query: SummaryQuery, measures: Mapping[str, Aggregate]) -> list[Any]:
    if not any(each.field and each.field.money for each in query.measures):
        return [_measured(query, matching.aggregate(**measures))]
    by_currency = matching.values(CURRENCY).annotate(**measures).order_by(CURRENCY)
    return [{CURRENCY: row[CURRENCY] or NONE, **_measured(query, row)} for row in by_currency]


def _name(index: int) -> str:
    return f"measure_{index}"


def _aggregate(records: Records, measure: Measure) -> Aggregate:
    if measure.function == "share":
        held = When(records.holding(measure.holds), then=Value(1.0))
        return Avg(Case(held, default=Value(0.0), output_field=FloatField()))
    if measure.field is None:
        return Count("pk")
    if measure.until is not None:
        return FUNCTIONS[measure.function](_days(measure.field, measure.until))
    return FUNCTIONS[measure.function](measure.field.attribute)


def _days(start: Field, end: Field) -> Any:
    """Days between two dates or moments; of a moment and a date, between their days."""
    moments = start.kind is end.kind is Kind.DATETIME
    first, last = (
        F(each.attribute) if moments or each.kind is Kind.DATE else TruncDate(each.attribute)
        for each in (start, end)
    )
    if not moments:
        # Dates differ by whole days.
        return ExpressionWrapper(
            Func(last, first, template="(%(expressions)s)", arg_joiner=" - "),
            output_field=FloatField(),
        )
    spent = Func(last, first, template="EXTRACT(EPOCH FROM %(expressions)s)", arg_joiner=" - ")
    return Cast(spent, FloatField()) / Value(float(SECONDS_A_DAY))


def _measured(query: SummaryQuery, row: Row) -> dict[str, Any]:
    measured = {}
    for index, measure in enumerate(query.measures):
        value = row[_name(index)]
        if value is None:
            continue
        if measure.function == "share":
            value = Decimal(value).quantize(SHARE)
        elif measure.function == "avg" or measure.until:
            value = Decimal(value).quantize(CENT)
        measured[measure.key] = scalar(value)
    return measured
