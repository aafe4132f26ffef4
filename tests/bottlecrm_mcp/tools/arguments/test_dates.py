from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bottlecrm_mcp.tools.arguments.dates import RANGES, WEEKDAYS, Clock
from bottlecrm_mcp.tools.errors import ToolError

WORDS = [word for word in RANGES if "N_" not in word and word != "overdue"]
days = st.dates(date(1971, 1, 1), date(2100, 1, 1))
zones = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Apia", "Asia/Kathmandu"]
)


def clock_on(day: str | date, zone: str = "UTC") -> Clock:
    noon = datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=ZoneInfo(zone))
    return Clock(zone, noon)


def between(first: str | None, last: str | None) -> tuple[date | None, ...]:
    return tuple(date.fromisoformat(each) if each else None for each in (first, last))


@pytest.mark.parametrize(
    ("today", "words", "first", "last"),
    [
        ("2026-03-11", "today", "2026-03-11", "2026-03-11"),
        ("2026-03-01", "yesterday", "2026-02-28", "2026-02-28"),
        ("2026-12-31", "tomorrow", "2027-01-01", "2027-01-01"),
        ("2026-03-11", "this_week", "2026-03-09", "2026-03-15"),
        ("2026-03-09", "this_week", "2026-03-09", "2026-03-15"),
        ("2026-03-15", "this_week", "2026-03-09", "2026-03-15"),
        ("2026-01-01", "this_week", "2025-12-29", "2026-01-04"),
        ("2026-03-09", "last_week", "2026-03-02", "2026-03-08"),
        ("2026-03-15", "next_week", "2026-03-16", "2026-03-22"),
        ("2026-02-15", "this_month", "2026-02-01", "2026-02-28"),
        ("2028-02-15", "this_month", "2028-02-01", "2028-02-29"),
        ("2026-01-31", "last_month", "2025-12-01", "2025-12-31"),
        ("2026-12-01", "next_month", "2027-01-01", "2027-01-31"),
        ("2026-01-31", "next_month", "2026-02-01", "2026-02-28"),
        ("2026-03-31", "this_quarter", "2026-01-01", "2026-03-31"),
        ("2026-04-01", "this_quarter", "2026-04-01", "2026-06-30"),
        ("2026-12-31", "this_quarter", "2026-10-01", "2026-12-31"),
        ("2026-01-01", "last_quarter", "2025-10-01", "2025-12-31"),
        ("2026-04-01", "last_quarter", "2026-01-01", "2026-03-31"),
        ("2026-12-31", "this_year", "2026-01-01", "2026-12-31"),
        ("2026-01-01", "last_year", "2025-01-01", "2025-12-31"),
        ("2026-03-11", "last_1_days", "2026-03-11", "2026-03-11"),
        ("2026-03-11", "last_30_days", "2026-02-10", "2026-03-11"),
        ("2026-03-11", "next_1_days", "2026-03-12", "2026-03-12"),
        ("2026-03-11", "next_7_days", "2026-03-12", "2026-03-18"),
        ("2026-03-11", "overdue", None, "2026-03-10"),
        ("2026-03-11", "this week", "2026-03-09", "2026-03-15"),
        ("2026-03-11", "TODAY ", "2026-03-11", "2026-03-11"),
        ("2026-03-11", "next Monday", "2026-03-16", "2026-03-16"),
        ("2026-03-16", "last_monday", "2026-03-09", "2026-03-09"),
    ],
)
def test_range(today, words, first, last) -> None:
    assert clock_on(today).range(words) == between(first, last)


@pytest.mark.parametrize("words", ["", "soon", "last__days", "last_-1_days", "next_maandag"])
def test_no_range(words) -> None:
    assert clock_on("2026-03-11").range(words) is None


def test_numbered_ranges_are_advertised_as_such() -> None:
    clock = clock_on("2026-03-11")
    for words in RANGES:
        assert clock.range(words.replace("N_", "5_")) is not None


@given(days, st.sampled_from(WORDS))
def test_first_day_is_not_after_the_last(today, words) -> None:
    first, last = clock_on(today).range(words)
    assert first <= last


@given(days)
def test_weeks_start_on_monday_and_hold_seven_days(today) -> None:
    for words in ("last_week", "this_week", "next_week"):
        first, last = clock_on(today).range(words)
        assert first.weekday() == 0
        assert last - first == timedelta(days=6)


@given(days)
def test_neighbouring_ranges_are_contiguous(today) -> None:
    clock = clock_on(today)
    for earlier, later in [
        ("yesterday", "today"),
        ("today", "tomorrow"),
        ("last_week", "this_week"),
        ("this_week", "next_week"),
        ("last_month", "this_month"),
        ("this_month", "next_month"),
        ("last_quarter", "this_quarter"),
        ("last_year", "this_year"),
        ("last_7_days", "next_7_days"),
    ]:
        assert clock.range(earlier)[1] + timedelta(days=1) == clock.range(later)[0]


@given(days)
def test_current_ranges_hold_today(today) -> None:
    clock = clock_on(today)
    for words in ("today", "this_week", "this_month", "this_quarter", "this_year", "last_3_days"):
        first, last = clock.range(words)
        assert first <= today <= last


@given(days, st.integers(1, 400))
def test_numbered_ranges_hold_that_many_days(today, count) -> None:
    clock = clock_on(today)
    for words in (f"last_{count}_days", f"next_{count}_days"):
        first, last = clock.range(words)
        assert (last - first).days + 1 == count


@given(days, zones)
def test_days_follow_each_other_without_a_gap(day, zone) -> None:
    clock = Clock(zone)
    following = clock.start_of(day + timedelta(days=1)).astimezone(UTC)
    assert following - clock.end_of(day).astimezone(UTC) == timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", "2026-03-28", 24),
        ("Europe/Berlin", "2026-03-29", 23),
        ("Europe/Berlin", "2026-10-25", 25),
        ("America/New_York", "2026-03-08", 23),
        ("America/New_York", "2026-11-01", 25),
        ("Asia/Kolkata", "2026-03-29", 24),
    ],
)
def test_length_of_a_day_when_the_clocks_change(zone, day, hours) -> None:
    clock = Clock(zone)
    first = clock.start_of(date.fromisoformat(day)).astimezone(UTC)
    last = clock.end_of(date.fromisoformat(day)).astimezone(UTC)
    assert last - first == timedelta(hours=hours) - timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("zone", "moment", "today"),
    [
        ("UTC", "2026-03-11T23:59+00:00", "2026-03-11"),
        ("Asia/Kolkata", "2026-03-11T18:29+00:00", "2026-03-11"),
        ("Asia/Kolkata", "2026-03-11T18:30+00:00", "2026-03-12"),
        ("America/New_York", "2026-03-08T04:59+00:00", "2026-03-07"),
        ("America/New_York", "2026-03-08T05:00+00:00", "2026-03-08"),
        ("Europe/Berlin", "2026-10-25T22:59+00:00", "2026-10-25"),
        ("Europe/Berlin", "2026-10-25T23:00+00:00", "2026-10-26"),
    ],
)
def test_today_is_the_organisations_day(zone, moment, today) -> None:
    assert Clock(zone, datetime.fromisoformat(moment)).today.isoformat() == today


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "../etc/passwd", "\x00"])
def test_unknown_time_zone_counts_as_utc(zone) -> None:
    assert Clock(zone).zone.key == "UTC"


@pytest.mark.parametrize(
    ("value", "day"),
    [
        ("2026-01-31", "2026-01-31"),
        ("today", "2026-03-11"),
        ("tomorrow", "2026-03-12"),
        ("yesterday", "2026-03-10"),
        ("in_0_days", "2026-03-11"),
        ("in_30_days", "2026-04-10"),
        ("In 3 days", "2026-03-14"),
        ("in a week", "2026-03-18"),
        ("in 2 months", "2026-05-11"),
        ("in one year", "2027-03-11"),
        ("3 days ago", "2026-03-08"),
        ("wednesday", "2026-03-11"),
        ("thursday", "2026-03-12"),
        ("tuesday", "2026-03-17"),
        ("this tuesday", "2026-03-10"),
        ("this wednesday", "2026-03-11"),
        ("next wednesday", "2026-03-18"),
        ("next friday", "2026-03-13"),
        ("last wednesday", "2026-03-04"),
        ("last tuesday", "2026-03-10"),
        ("end of month", "2026-03-31"),
        ("end of the month", "2026-03-31"),
        ("end of this week", "2026-03-15"),
        ("end_of_next_month", "2026-04-30"),
        ("end_of_last_year", "2025-12-31"),
        ("start_of_next_quarter", "2026-04-01"),
    ],
)
def test_day(value, day) -> None:
    clock = clock_on("2026-03-11")
    assert clock.day(value).isoformat() == day
    assert clock.range(value) == between(day, day)


@pytest.mark.parametrize(
    ("today", "value", "day"),
    [
        ("2026-01-31", "in_1_month", "2026-02-28"),
        ("2028-02-29", "in_1_year", "2029-02-28"),
        ("2026-03-31", "1_month_ago", "2026-02-28"),
        ("2026-12-31", "end_of_next_month", "2027-01-31"),
    ],
)
def test_months_are_of_different_lengths(today, value, day) -> None:
    assert clock_on(today).day(value).isoformat() == day


@given(days, st.sampled_from(WEEKDAYS))
def test_weekdays_of_any_day(today, name) -> None:
    """Seven days from today on have each name once; next and last leave today out."""
    clock = clock_on(today)
    day, following, last = (clock.day(f"{word}{name}") for word in ("", "next_", "last_"))
    assert 0 <= (day - today).days < 7
    assert 0 < (following - today).days <= 7
    assert -7 <= (last - today).days < 0
    assert clock.range("this_week")[0] <= clock.day(f"this_{name}") <= clock.range("this_week")[1]
    assert bool(clock.doubt(name)) == (day == today)
    assert clock.doubt(f"next_{name}") == ""


@pytest.mark.parametrize(
    "value",
    [
        *("", "2026-02-30", "31.01.2026", "this_week", "in_x_days", "in_3_days_ago", "3_days"),
        *("in_9999_years", "9999_years_ago", "end_of_friday", "this"),
    ],
)
def test_no_day(value) -> None:
    assert clock_on("2026-03-11").day(value) is None


def test_moment_without_an_offset_is_the_organisations() -> None:
    moment = Clock("Asia/Kolkata").moment("2026-01-31T14:30")
    assert moment.isoformat() == "2026-01-31T14:30:00+05:30"


@pytest.mark.parametrize(
    "value", ["2026-01-31T14:30+01:00", "2026-01-31T13:30Z", "2026-02-01T13:29:00+23:59"]
)
def test_moment_with_an_offset_is_shown_in_the_organisations_zone(value) -> None:
    moment = Clock("Asia/Kolkata").moment(value)
    assert moment.isoformat() == "2026-01-31T19:00:00+05:30"


@pytest.mark.parametrize(
    "value", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59.999999-23:59", "3000-01-01T00:00"]
)
def test_moment_too_far_away(value) -> None:
    with pytest.raises(ToolError, match="between the years 1000 and 2999"):
        Clock("America/New_York").moment(value)


@pytest.mark.parametrize("words", ["last_9999_days", "next_9999_days"])
def test_widest_numbered_range(words) -> None:
    assert clock_on("2026-03-11").range(words) is not None


@pytest.mark.parametrize("value", ["9999-12-31", "0001-01-01"])
def test_ends_of_the_calendar(value) -> None:
    clock = Clock("America/New_York")
    day = clock.day(value)
    assert clock.start_of(day) <= clock.end_of(day)
