"""Largest groups of a summary, and all others as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import Any

from bottlecrm_mcp.gateway.base import Grouping, Measure
from bottlecrm_mcp.gateway.shared.group_labels import CENT, SHARE

OTHERS = "others"


def only(row: Mapping[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key in keys}


def added_up(measures: Sequence[Measure]) -> tuple[Measure, ...]:
    """What an average of several groups is made of, beside the measures that are there."""
    parts: list[Measure] = []
    for each in measures:
        if each.function == "avg":
            parts += [replace(each, function="sum"), replace(each, function="values")]
        if each.function == "share":
            parts.append(Measure("count"))
    return tuple(
        each for at, each in enumerate(parts) if each not in measures and each not in parts[:at]
    )


def largest(
    groups: Sequence[Mapping[str, Any]],
    groupings: Sequence[Grouping],
    apart: Sequence[Grouping],
    measures: Sequence[Measure],
    top: int,
) -> list[dict[str, Any]]:
    """The largest groups by the first measure, and the others as one; per currency."""
    by_currency: dict[Any, list[Mapping[str, Any]]] = {}
    for each in groups:
        currency = tuple(each.get(grouping.key) for grouping in apart)
        by_currency.setdefault(currency, []).append(each)
    keys = [group.key for group in (*groupings, *apart)]
    keys += [measure.key for measure in measures]
    result: list[dict[str, Any]] = []
    for currency, members in by_currency.items():
        ranked = sorted(members, key=lambda each: _amount(measures[0], each), reverse=True)
        result += [only(each, keys) for each in ranked[:top]]
        if others := ranked[top:]:
            named = {groupings[0].key: f"{OTHERS} ({len(others)})"}
            kept_apart = dict(zip((each.key for each in apart), currency, strict=True))
            result.append({**named, **kept_apart, **_together(measures, others)})
    return result


def _amount(measure: Measure, group: Mapping[str, Any]) -> tuple[bool, Any]:
    value = group.get(measure.key)
    if value is None:
        return False, 0
    is_moment = measure.function in ("min", "max") and measure.field and not measure.until
    return True, value if is_moment and not _is_number(value) else Decimal(str(value))


def _is_number(value: Any) -> bool:
    try:
        return Decimal(str(value)).is_finite()
    except InvalidOperation:
        return False


def _together(measures: Sequence[Measure], groups: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    values = {each.key: _of_all(each, groups) for each in measures}
    return {key: value for key, value in values.items() if value is not None}


def _of_all(measure: Measure, groups: Sequence[Mapping[str, Any]]) -> Any:
    """The measure over the records of several groups, from those of each."""
    known = [each for each in groups if measure.key in each]
    if not known:
        return None
    if measure.function in ("min", "max"):
        chosen = max if measure.function == "max" else min
        return chosen(known, key=lambda each: _amount(measure, each))[measure.key]
    if measure.function == "count":
        return sum(each["count"] for each in known)
    if measure.function == "share":
        held = sum((Decimal(each[measure.key]) * each["count"] for each in known), Decimal(0))
        return str((held / sum(each["count"] for each in known)).quantize(SHARE))
    if measure.function == "sum":
        return _sum(measure, known)
    numbers = replace(measure, function="values").key
    total = Decimal(str(_sum(replace(measure, function="sum"), known)))
    return str((total / sum(each[numbers] for each in known)).quantize(CENT))


def _sum(measure: Measure, groups: Sequence[Mapping[str, Any]]) -> Any:
    values = [each[measure.key] for each in groups]
    if all(isinstance(each, int | float) for each in values):
        return sum(values)
    return str(sum(Decimal(str(each)) for each in values))
