from datetime import UTC
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bottlecrm_mcp.catalogue.model import Field, Kind
from bottlecrm_mcp.gateway.base import Condition, Grouping, Measure, SummaryQuery
from bottlecrm_mcp.gateway.shared import in_memory

NAME = Field("name", Kind.TEXT)
AMOUNT = Field("amount", Kind.DECIMAL, money=True)
COUNT = Field("count", Kind.INTEGER)
DAY = Field("day", Kind.DATE)
AT = Field("at", Kind.DATETIME)
STAGE = Field("stage", Kind.CHOICE)
ACTIVE = Field("active", Kind.BOOLEAN)
OWNER = Field("owner", Kind.RELATION)
TAGS = Field("tags", Kind.RELATIONS)
HOW_MANY = (Measure("count"),)

ROWS: list[dict[str, Any]] = [
    {
        "id": "1",
        "name": "Beta",
        "amount": "10.00",
        "count": 2,
        "day": "2026-01-31",
        "at": "2026-01-31T23:30:00Z",
        "stage": "WON",
        "active": True,
        "owner": {"id": "a", "name": "Ann"},
        "tags": [{"id": "x", "name": "X"}, {"id": "y", "name": "Y"}],
        "currency": "USD",
    },
    {
        "id": "2",
        "name": "alpha",
        "amount": "9.50",
        "count": 10,
        "day": "2026-02-01",
        "at": "2026-02-01T00:30:00+02:00",
        "stage": "LOST",
        "active": False,
        "owner": {"id": "b", "name": "Bob"},
        "tags": [{"id": "x", "name": "X"}],
        "currency": "EUR",
    },
    {"id": "3"},
]


def found(field, operator, value):
    rows = in_memory.matching(ROWS, [Condition(field, operator, value)])
    return "".join(row["id"] for row in rows)


@pytest.mark.parametrize(
    ("field", "operator", "value", "ids"),
    [
        (NAME, "eq", "ALPHA", "2"),
        (NAME, "contains", "ET", "1"),
        (NAME, "is_empty", True, "3"),
        (NAME, "is_empty", False, "12"),
        (AMOUNT, "gte", "9.5", "12"),
        (AMOUNT, "eq", "10", "1"),
        (AMOUNT, "lte", "9.99", "2"),
        (COUNT, "gte", 3, "2"),
        (DAY, "lte", "2026-01-31", "1"),
        (AT, "gte", "2026-01-31T23:00:00+00:00", "1"),
        (STAGE, "in", ("WON", "OPEN"), "1"),
        (ACTIVE, "eq", False, "2"),
        (OWNER, "eq", "a", "1"),
        (OWNER, "in", ("a", "b"), "12"),
        (OWNER, "is_empty", True, "3"),
        (TAGS, "eq", "x", "12"),
        (TAGS, "in", ("y", "z"), "1"),
        (TAGS, "is_empty", False, "12"),
    ],
)
def test_condition(field, operator, value, ids):
    assert found(field, operator, value) == ids


@pytest.mark.parametrize(
    ("order", "ids"),
    [
        ([(NAME, False)], "213"),
        ([(NAME, True)], "123"),
        ([(AMOUNT, False)], "213"),
        ([(COUNT, True)], "213"),
        ([(AT, False)], "213"),
        ([(ACTIVE, False), (NAME, True)], "213"),
        ([], "123"),
    ],
)
def test_order(order, ids):
    assert "".join(row["id"] for row in in_memory.ordered(reversed(ROWS), order)) == ids


def test_words():
    assert in_memory.holding_words(ROWS, ["be", "TA"], ["name"]) == ROWS[:1]


def summary(*groupings, measures=HOW_MANY, zone=UTC, limit=100):
    return in_memory.summarize(ROWS, SummaryQuery(groupings, measures, limit=limit), zone)


def test_groups_of_a_relation_count_in_each():
    result = summary(Grouping(TAGS))
    assert [(each["tags"], each["count"]) for each in result.groups] == [
        ({"id": "x", "name": "X"}, 2),
        ({"id": "y", "name": "Y"}, 1),
        ("(none)", 1),
    ]
    assert result.totals == [{"count": 3}]


def test_period_in_the_organisations_zone():
    assert [each["at:month"] for each in summary(Grouping(AT, "month")).groups] == [
        "2026-01",
        "(none)",
    ]
    later = summary(Grouping(AT, "month"), zone=ZoneInfo("Europe/Kyiv")).groups
    assert [each["at:month"] for each in later] == ["2026-02", "(none)"]


@pytest.mark.parametrize(
    ("period", "label"),
    [
        ("day", "2026-01-31"),
        ("week", "2026-01-26"),
        ("month", "2026-01"),
        ("quarter", "2026-Q1"),
        ("year", "2026"),
    ],
)
def test_period_labels(period, label):
    assert summary(Grouping(DAY, period)).groups[0][f"day:{period}"] == label


def test_money_by_currency():
    measures = tuple(Measure(each, AMOUNT) for each in ("sum", "avg", "min", "max"))
    result = summary(measures=measures)
    assert result.totals[1] == {
        "currency": "USD",
        "sum:amount": "10.00",
        "avg:amount": "10.00",
        "min:amount": "10.00",
        "max:amount": "10.00",
    }
    assert [each["currency"] for each in result.totals] == ["EUR", "USD", "(none)"]
    assert result.groups == []


def test_most_groups():
    result = summary(Grouping(NAME), limit=1)
    assert (len(result.groups), result.group_count) == (1, 3)


def test_largest_first():
    result = summary(Grouping(STAGE), measures=(Measure("sum", COUNT),))
    assert [each["stage"] for each in result.groups] == ["LOST", "WON", "(none)"]
    assert "sum:count" not in result.groups[2]


@pytest.mark.parametrize(
    ("at", "day"),
    [("9999-12-31T23:59:59Z", "9999-12-31"), ("0001-01-01T00:00:00+05:30", "0001-01-01")],
)
def test_moment_at_the_end_of_the_calendar_is_a_group_like_others(at, day) -> None:
    rows = [*ROWS, {"id": "9", "at": at}]
    for zone in ("Pacific/Kiritimati", "America/New_York", "UTC"):
        query = SummaryQuery((Grouping(AT, "day"),), HOW_MANY)
        summary = in_memory.summarize(rows, query, ZoneInfo(zone))
        assert {"at:day": day, "count": 1} in summary.groups
