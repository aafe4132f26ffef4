"""Filters: what a list's query parameters mean. One that a list doesn't know changes nothing."""

from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.timezone import get_default_timezone, make_aware
from rest_framework.exceptions import ValidationError

from demo_crm.ids import id_list, one_id

Records = QuerySet[Any]
# Gets every value of its parameter; the last one counts unless it says otherwise.
Filter = Callable[[Records, Sequence[str], str], Records]


def apply_filters(records: Records, filters: dict[str, Filter], params: QueryDict) -> Records:
    for name, narrow in filters.items():
        values = [value for value in params.getlist(name) if value]
        if values:
            records = narrow(records, values, name)
    has_custom_fields = hasattr(records.model, "custom_fields")
    for name, value in params.items():
        if has_custom_fields and name.startswith("cf_") and name != "cf_" and value:
            records = records.filter(custom_fields__contains={name.removeprefix("cf_"): value})
    return records


def contains(*fields: str) -> Filter:
    def narrow(records: Records, values: Sequence[str], name: str) -> Records:
        condition = Q()
        for field in fields:
            condition |= Q(**{f"{field}__icontains": values[-1]})
        return records.filter(condition)

    return narrow


def exact(field: str) -> Filter:
    return lambda records, values, name: records.filter(**{field: values[-1]})


def related(field: str) -> Filter:
    return lambda records, values, name: records.filter(**{field: one_id(values[-1], name)})


def any_related(field: str) -> Filter:
    """Repeatable."""
    return lambda records, values, name: records.filter(
        **{f"{field}__in": id_list(list(values), name)}
    )


def any_of(field: str) -> Filter:
    """Repeatable; an unknown value matches nothing."""
    return lambda records, values, name: records.filter(**{f"{field}__in": values})


def any_known(field: str, choices: Sequence[tuple[str, str]]) -> Filter:
    """Repeatable. On purpose: unknown values are dropped, and none left means no filter."""
    known = {value for value, _ in choices}

    def narrow(records: Records, values: Sequence[str], name: str) -> Records:
        wanted = [value for value in values if value in known]
        return records.filter(**{f"{field}__in": wanted}) if wanted else records

    return narrow


def when(value: str, condition: Q) -> Filter:
    """Only this literal value does anything."""
    return lambda records, values, name: (
        records.filter(condition) if values[-1] == value else records
    )


def true_or_false(field: str) -> Filter:
    """Spelled exactly so; any other value changes nothing."""
    return lambda records, values, name: (
        records.filter(**{field: values[-1] == "true"})
        if values[-1] in ("true", "false")
        else records
    )


def days(*fields: str) -> dict[str, Filter]:
    return {f"{field}__{bound}": _day for field in fields for bound in ("gte", "lte")}


def exact_day() -> Filter:
    return _day


def instants(*fields: str) -> dict[str, Filter]:
    return {f"{field}__{bound}": _instant for field in fields for bound in ("gte", "lte")}


def amounts(*fields: str) -> dict[str, Filter]:
    return {f"{field}__{bound}": _amount for field in fields for bound in ("gte", "lte")}


def _day(records: Records, values: Sequence[str], name: str) -> Records:
    moment = parse_date(values[-1]) or _moment(values[-1], name).date()
    return records.filter(**{name: moment})


def _instant(records: Records, values: Sequence[str], name: str) -> Records:
    """On purpose: a date means midnight UTC, so `__lte` leaves that very day out."""
    return records.filter(**{name: _moment(values[-1], name)})


def _moment(text: str, name: str) -> Any:
    try:
        moment = parse_datetime(text)
    except ValueError:
        moment = None
    if moment is None:
        message = f"'{text}' is not a valid date. Use YYYY-MM-DD."
        raise ValidationError({name: [message]})
    return moment if moment.tzinfo else make_aware(moment, get_default_timezone())


def _amount(records: Records, values: Sequence[str], name: str) -> Records:
    try:
        return records.filter(**{name: Decimal(values[-1])})
    except InvalidOperation:
        raise ValidationError({name: [f"'{values[-1]}' is not a valid number."]}) from None
