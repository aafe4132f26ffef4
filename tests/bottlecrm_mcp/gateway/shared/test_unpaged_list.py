"""A list without an end, such as a timesheet, is read through a window of days."""

from datetime import UTC, date, datetime, timedelta

import pytest

from bottlecrm_mcp.catalogue.optional.time_entries import TIME_ENTRIES
from bottlecrm_mcp.gateway.base import Condition, NotAvailable, Refused, Reply, RowQuery
from bottlecrm_mcp.gateway.shared import unpaged_list
from bottlecrm_mcp.gateway.shared.rows import rows_at

DAYS = {
    "days": [
        {"entries": [{"id": "1", "description": "one", "created_at": "2026-03-02T09:00:00Z"}]},
        {"entries": []},
        {"entries": [{"id": "2", "description": "two", "created_at": "2026-03-04T09:00:00Z"}]},
    ]
}
STARTED = TIME_ENTRIES.field("started_at")
PROFILE = TIME_ENTRIES.field("profile")


class Timesheet:
    """Answers the same whatever it is asked, and keeps what that was."""

    def __init__(self, reply=None):
        self.reply = reply or Reply(200, DAYS)
        self.asked = {}

    def __call__(self, path, parameters=None):
        assert path == TIME_ENTRIES.path
        self.asked = dict(parameters)
        return self.reply


def asked(*conditions):
    sheet = Timesheet()
    unpaged_list.rows(sheet, TIME_ENTRIES, conditions)
    return sheet.asked


def test_rows_of_several_lists():
    assert [row["id"] for row in rows_at(DAYS, "days.entries")] == ["1", "2"]
    assert rows_at([{"tasks": [{"id": "1"}]}, {}], "tasks") == [{"id": "1"}]
    assert rows_at({"days": None}, "days.entries") == []


def test_last_year_unless_a_filter_says_otherwise():
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    first = tomorrow - timedelta(days=366)
    assert asked() == {"start": first.isoformat(), "end": tomorrow.isoformat()}


def test_days_of_a_filter_in_the_callers_time_zone():
    conditions = (
        Condition(STARTED, "gte", "2026-03-01T00:00:00+05:30"),
        Condition(STARTED, "lte", "2026-03-31T23:59:59+05:30"),
    )
    assert asked(*conditions) == {"start": "2026-03-01", "end": "2026-03-31"}


def test_until_a_day():
    last = Condition(STARTED, "lte", "2026-03-31T23:59:59+00:00")
    days = [date.fromisoformat(each) for each in asked(last).values()]
    assert (days[1] - days[0]).days == 366


def test_of_another_person():
    assert asked(Condition(PROFILE, "eq", "some-id"))["profile"] == "some-id"
    with pytest.raises(NotAvailable, match="one profile at a time"):
        asked(Condition(PROFILE, "in", ("some-id", "another")))


def test_too_many_days():
    with pytest.raises(NotAvailable, match="1100 days at most"):
        asked(Condition(STARTED, "gte", "2000-01-01T00:00:00+00:00"))


def test_page_says_what_it_leaves_out():
    columns = (TIME_ENTRIES.field("description"),)
    page = unpaged_list.page(Timesheet(), TIME_ENTRIES, RowQuery(columns))
    assert [row["description"] for row in page.rows] == ["two", "one"]
    assert page.limits == (TIME_ENTRIES.hidden_note,)
    march = Condition(STARTED, "gte", "2026-03-01T00:00:00+00:00")
    narrowed = unpaged_list.page(Timesheet(), TIME_ENTRIES, RowQuery(columns, conditions=(march,)))
    assert narrowed.limits == ()


def test_refused():
    refusal = Timesheet(Reply(403, {"detail": "Only admins can view another profile's timesheet."}))
    with pytest.raises(Refused):
        unpaged_list.rows(refusal, TIME_ENTRIES)
