"""In-memory queries: filters, order and sums over rows, where the CRM's list offers none.

Rows are those of `rows.row_of`. What comes out is what the database would give: nothing sorts last,
case does not count, relations are compared by id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal
from itertools import product
from typing import Any

from bottlecrm_mcp.catalogue.model import CURRENCY, Field, Kind
from bottlecrm_mcp.gateway.base import (
    Condition,
    Grouping,
    Measure,
    NotAvailable,
    Summary,
    SummaryQuery,
)
from bottlecrm_mcp.gateway.shared.folding import folded, phone_digits, same_phone
from bottlecrm_mcp.gateway.shared.group_labels import CENT, LABELS, NONE, SHARE
from bottlecrm_mcp.gateway.shared.rows import EMPTY

Row = Mapping[str, Any]
SECONDS_A_DAY = 86_400
Order = Sequence[tuple[Field, bool]]

COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": lambda value, wanted: bool(value == wanted),
    "gte": lambda value, wanted: bool(value >= wanted),
    "lte": lambda value, wanted: bool(value <= wanted),
    "gt": lambda value, wanted: bool(value > wanted),
    "lt": lambda value, wanted: bool(value < wanted),
    "contains": lambda value, wanted: wanted in value,
}
FIRST_DAYS: Mapping[str, Callable[[date], date]] = {
    "day": lambda day: day,
    "week": lambda day: day - timedelta(days=day.weekday()),
    "month": lambda day: day.replace(day=1),
    "quarter": lambda day: day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1),
    "year": lambda day: day.replace(month=1, day=1),
}


def matching(rows: Iterable[Row], conditions: Sequence[Condition]) -> list[Row]:
    return [row for row in rows if all(holds(each, row) for each in conditions)]


def holds(condition: Condition, row: Row) -> bool:
    operator, wanted = condition.operator, condition.value
    if operator == "any":
        return any(all(holds(each, row) for each in alternative) for alternative in wanted)
    if operator == "related":
        raise NotAvailable(f"This can't be filtered by what {condition.field.name} is here.")
    value: Any = row.get(condition.field.name)
    if condition.field.also:
        value = [*_references(value), *_references(row.get(condition.field.also.name))]
    if operator == "is_empty":
        return (value in EMPTY) is wanted
    if condition.field.kind.is_relation:
        found = bool(_wanted_ids(condition) & related_ids(value))
        return found is (operator != "not_in")
    kind = condition.field.kind
    if operator == "not_in":
        return value in EMPTY or not _is_one_of(kind, value, wanted)
    if operator == "outside":
        first, last = (comparable(kind, each) for each in wanted)
        return value in EMPTY or not first <= comparable(kind, value) <= last
    if value in EMPTY:
        return False
    if operator == "in":
        return _is_one_of(kind, value, wanted)
    if kind is Kind.PHONE and phone_digits(wanted):
        held = operator == "contains" and phone_digits(wanted) in phone_digits(value)
        return held or same_phone(value, wanted)
    compare = COMPARISONS[condition.operator]
    return compare(comparable(kind, value), comparable(kind, condition.value))


def _is_one_of(kind: Kind, value: Any, values: Iterable[Any]) -> bool:
    return any(comparable(kind, value) == comparable(kind, each) for each in values)


def _wanted_ids(condition: Condition) -> set[str]:
    many = condition.operator in ("in", "not_in")
    return set(condition.value) if many else {condition.value}


def related_ids(value: Any) -> set[str]:
    if isinstance(value, str):
        # The id of the record itself.
        return {value}
    return {each["id"] for each in _references(value)}


def _references(value: Any) -> list[Mapping[str, str]]:
    return value if isinstance(value, list) else [value] if value else []


def comparable(kind: Kind, value: Any) -> Any:
    """A value of this kind as something that compares as the CRM's database does."""
    if kind in (Kind.INTEGER, Kind.DECIMAL):
        return Decimal(str(value))
    if kind is Kind.DATETIME:
        return datetime.fromisoformat(value)
    return value if isinstance(value, bool) else folded(str(value))


def holding_words(rows: Iterable[Row], words: Sequence[str], names: Sequence[str]) -> list[Row]:
    """The rows that hold every word in one of the named fields."""
    return [
        row
        for row in rows
        if all(
            any(folded(word) in folded(str(row.get(name, ""))) for name in names) for word in words
        )
    ]


def ordered(rows: Iterable[Row], order: Order) -> list[Row]:
    """Sorted by several fields, ties by id; what has no value comes last either way."""
    result = sorted(rows, key=lambda row: str(row["id"]))
    for field, descending in reversed(order):
        known = [row for row in result if row.get(field.name) not in EMPTY]
        unknown = [row for row in result if row.get(field.name) in EMPTY]
        known.sort(key=_sort_key(field), reverse=descending)
        result = known + unknown
    return result


def _sort_key(field: Field) -> Callable[[Row], Any]:
    return lambda row: comparable(field.kind, row[field.name])


def summarize(rows: Sequence[Row], query: SummaryQuery, zone: tzinfo) -> Summary:
    """Groups by falling first measure, or by date where a date is grouped by."""
    groups: dict[tuple[Any, ...], list[Row]] = {}
    shown: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows if query.groupings else ():
        for parts in product(*(_parts(each, row, zone) for each in query.groupings)):
            keys = tuple(key for key, _ in parts)
            groups.setdefault(keys, []).append(row)
            names = (each.key for each in query.groupings)
            shown[keys] = dict(zip(names, (label for _, label in parts), strict=True))
    measured = {keys: _measured(query.measures, each, zone) for keys, each in groups.items()}
    found = [{**shown[keys], **measured[keys]} for keys in _ranked(query, measured)]
    return Summary(found[: query.limit], len(found), _totals(rows, query, zone))


def _parts(grouping: Grouping, row: Row, zone: tzinfo) -> list[tuple[Any, Any]]:
    """The groups that a row falls into, each as what it sorts by and what is shown."""
    if grouping.through:
        raise NotAvailable(f"This can't be grouped by {grouping.key} here.")
    if grouping.holds:
        held = all(holds(each, row) for each in grouping.holds)
        return [(held, held)]
    value: Any = row.get(grouping.field.name)
    if grouping.folded and value not in EMPTY:
        kind = grouping.field.kind
        value = phone_digits(value) if kind is Kind.PHONE else folded(str(value))
    if grouping.period:
        start = _period(grouping, value, zone)
        return [(start, LABELS[grouping.period](start) if start else NONE)]
    if grouping.field.kind.is_relation:
        references = value if isinstance(value, list) else [value] if value else []
        return [(each["id"], each) for each in references] or [(None, NONE)]
    return [(None, NONE)] if value in EMPTY else [(comparable(grouping.field.kind, value), value)]


def _period(grouping: Grouping, value: Any, zone: tzinfo) -> date | None:
    if not value:
        return None
    if grouping.field.kind is Kind.DATE:
        return FIRST_DAYS[grouping.period](date.fromisoformat(value))
    return FIRST_DAYS[grouping.period](_day_of(datetime.fromisoformat(value), zone))


def _day_of(moment: datetime, zone: tzinfo) -> date:
    try:
        return moment.astimezone(zone).date()
    except OverflowError:
        # At either end of the calendar; the other rows must not suffer from it.
        return moment.date()


def _ranked(
    query: SummaryQuery, measured: Mapping[tuple[Any, ...], Mapping[str, Any]]
) -> list[tuple[Any, ...]]:
    keys = sorted(measured, key=lambda each: [_nothing_last(part) for part in each])
    dated = [index for index, each in enumerate(query.groupings) if each.period]
    if dated:
        return sorted(keys, key=lambda each: [_nothing_last(each[index]) for index in dated])
    first = query.measures[0]
    known = [each for each in keys if first.key in measured[each]]
    known.sort(key=lambda each: _amount(first, measured[each]), reverse=True)
    return known + [each for each in keys if first.key not in measured[each]]


def _nothing_last(value: Any) -> tuple[bool, Any]:
    return (value is None, 0 if value is None else value)


def _amount(measure: Measure, measured: Mapping[str, Any]) -> Any:
    value = measured[measure.key]
    if measure.field is None or measure.until or measure.function in ("sum", "avg", "values"):
        return Decimal(value)
    return comparable(measure.field.kind, value)


def _totals(rows: Sequence[Row], query: SummaryQuery, zone: tzinfo) -> list[dict[str, Any]]:
    if not any(each.field and each.field.money for each in query.measures):
        return [_measured(query.measures, rows, zone)]
    currencies = sorted({row.get(CURRENCY) or "" for row in rows}, key=lambda each: each or "~")
    return [
        {
            CURRENCY: currency or NONE,
            **_measured(
                query.measures, [r for r in rows if (r.get(CURRENCY) or "") == currency], zone
            ),
        }
        for currency in currencies
    ]


def _measured(measures: Sequence[Measure], rows: Sequence[Row], zone: tzinfo) -> dict[str, Any]:
    values = {each.key: _measure(each, rows, zone) for each in measures}
    return {key: value for key, value in values.items() if value is not None}


def _measured_days(
    measure: Measure, start: Field, end: Field, rows: Sequence[Row], zone: tzinfo
) -> str | int | None:
    """Of the days between two fields, what the measure asks for."""
    spent = [
        _days(start, end, row, zone)
        for row in rows
        if row.get(start.name) not in EMPTY and row.get(end.name) not in EMPTY
    ]
    if measure.function == "values":
        return len(spent)
    if not spent:
        return None
    if measure.function in ("min", "max"):
        value = min(spent) if measure.function == "min" else max(spent)
    else:
        value = sum(spent, Decimal(0)) / (len(spent) if measure.function == "avg" else 1)
    return str(value.quantize(CENT))


def _days(start: Field, end: Field, row: Row, zone: tzinfo) -> Decimal:
    if start.kind is end.kind is Kind.DATETIME:
        spent = datetime.fromisoformat(row[end.name]) - datetime.fromisoformat(row[start.name])
        return Decimal(spent.total_seconds()) / SECONDS_A_DAY
    first, last = (
        date.fromisoformat(row[each.name])
        if each.kind is Kind.DATE
        else _day_of(datetime.fromisoformat(row[each.name]), zone)
        for each in (start, end)
    )
    return Decimal((last - first).days)


def _measure(measure: Measure, rows: Sequence[Row], zone: tzinfo) -> Any:
    field = measure.field
    if measure.function == "share":
        held = sum(1 for row in rows if all(holds(each, row) for each in measure.holds))
        return str((Decimal(held) / len(rows)).quantize(SHARE)) if rows else None
    if field is None:
        return len(rows)
    if measure.until is not None:
        return _measured_days(measure, field, measure.until, rows, zone)
    known = [row[field.name] for row in rows if row.get(field.name) not in EMPTY]
    if not known:
        return None
    if measure.function == "values":
        return len(known)
    if measure.function in ("min", "max"):
        choose = min if measure.function == "min" else max
        return choose(known, key=lambda value: comparable(field.kind, value))
    total = sum((Decimal(str(value)) for value in known), Decimal(0))
    if measure.function == "avg":
        return str((total / len(known)).quantize(CENT))
    return int(total) if field.kind is Kind.INTEGER else str(total)
