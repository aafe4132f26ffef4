"""Dates as people say them, in the organisation's time zone. Weeks start on Monday."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bottlecrm_mcp.tools.arguments.scalars import iso_day, iso_moment

OVERDUE = "overdue"
RANGES = (
    "today",
    "yesterday",
    "tomorrow",
    "this_week",
    "last_week",
    "next_week",
    "this_month",
    "last_month",
    "next_month",
    "this_quarter",
    "last_quarter",
    "next_quarter",
    "this_year",
    "last_year",
    "next_year",
    "last_N_days",
    "next_N_days",
    "friday",
    "next_monday",
    "in_N_days",
    "N_days_ago",
    "end_of_month",
    "2026-11",
    "2026-Q4",
    "2026",
    OVERDUE,
)
DAYS = ("today", "tomorrow", "yesterday")
A_DAY = "2026-01-31, today, tomorrow, friday, next_friday, in_N_days, N_weeks_ago or end_of_month"
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

_NUMBERED = re.compile(r"(last|next)_(\d{1,4})_days", re.ASCII)
_AWAY = re.compile(r"(in_)?(a|an|one|\d{1,4})_(day|week|month|year)s?(_ago)?", re.ASCII)
_WEEKDAY = re.compile(rf"(?:(last|this|next)_)?({'|'.join(WEEKDAYS)})")
_END = re.compile(r"(start|end)_of_(?:the_)?(?:(this|last|next)_)?(week|month|quarter|year)")
_MONTHS = {"month": 1, "year": 12}
_CALENDAR = re.compile(r"([1-9]\d{3})(?:-(?:(0[1-9]|1[0-2])|q([1-4])))?", re.ASCII)

Range = tuple[date | None, date | None]


class Clock:
    """Today, and the ranges around it, in one time zone."""

    def __init__(self, timezone: str, now: datetime | None = None) -> None:
        try:
            self.zone = ZoneInfo(timezone)
        except (ZoneInfoNotFoundError, ValueError):
            self.zone = ZoneInfo("UTC")
        self._now = now

    @property
    def today(self) -> date:
        return (self._now or datetime.now(self.zone)).astimezone(self.zone).date()

    def milliseconds_to_midnight(self) -> int:
        now = (self._now or datetime.now(self.zone)).astimezone(self.zone)
        midnight = self.start_of(now.date() + timedelta(days=1))
        return max(0, int((midnight.timestamp() - now.timestamp()) * 1000))

    def range(self, words: str) -> Range | None:
        """First and last day of a range, None for an open end; None if not one.

        A relative one, a month, a quarter, a year or a day; with spaces or underscores.
        """
        words = _spelled(words)
        if calendar := _CALENDAR.fullmatch(words):
            return _calendar(*calendar.groups())
        today = self.today
        day = timedelta(days=1)
        if numbered := _NUMBERED.fullmatch(words):
            count = timedelta(days=int(numbered[2]))
            # The last 7 days end today; the next 7 begin tomorrow.
            if numbered[1] == "last":
                return today - count + day, today
            return today + day, today + count
        monday = today - timedelta(days=today.weekday())
        week = timedelta(days=7)
        ranges: dict[str, Range] = {
            "today": (today, today),
            "yesterday": (today - day, today - day),
            "tomorrow": (today + day, today + day),
            "this_week": (monday, monday + 6 * day),
            "last_week": (monday - week, monday - day),
            "next_week": (monday + week, monday + week + 6 * day),
            "this_month": _months(today, 1, 0),
            "last_month": _months(today, 1, -1),
            "next_month": _months(today, 1, 1),
            "this_quarter": _months(today, 3, 0),
            "last_quarter": _months(today, 3, -1),
            "next_quarter": _months(today, 3, 1),
            "this_year": (date(today.year, 1, 1), date(today.year, 12, 31)),
            "last_year": (date(today.year - 1, 1, 1), date(today.year - 1, 12, 31)),
            "next_year": (date(today.year + 1, 1, 1), date(today.year + 1, 12, 31)),
            OVERDUE: (None, today - day),
        }
        if words in ranges:
            return ranges[words]
        named = self.day(words)
        return (named, named) if named else None

    def day(self, value: str) -> date | None:
        """A day for a field: ISO, or in words as `A_DAY` has them. None if it is none."""
        words = _spelled(value)
        if away := _AWAY.fullmatch(words):
            return self._away(*away.groups())
        if named := _WEEKDAY.fullmatch(words):
            return self._weekday(named[1], WEEKDAYS.index(named[2]))
        if end := _END.fullmatch(words):
            found = self.range(f"{end[2] or 'this'}_{end[3]}") or (None, None)
            return found[0 if end[1] == "start" else 1]
        if words in DAYS:
            return (self.range(words) or (None,))[0]
        return None if _CALENDAR.fullmatch(words) else iso_day(value)

    def _away(self, ahead: str | None, number: str, unit: str, ago: str | None) -> date | None:
        """So many days, weeks, months or years from today."""
        if bool(ahead) == bool(ago):
            return None
        count = (int(number) if number.isdigit() else 1) * (1 if ahead else -1)
        try:
            if unit in _MONTHS:
                return _months_later(self.today, count * _MONTHS[unit])
            return self.today + timedelta(days=count * (7 if unit == "week" else 1))
        except (ValueError, OverflowError):
            return None

    def _weekday(self, which: str | None, weekday: int) -> date:
        """The nearest day of that name from today on; last and next are never today."""
        away = weekday - self.today.weekday()
        if which == "last":
            away -= 0 if away < 0 else 7
        elif which == "next":
            away += 0 if away > 0 else 7
        elif which is None:
            away %= 7
        return self.today + timedelta(days=away)

    def doubt(self, value: str) -> str:
        """What is to be said of a day that the words may not have meant; mostly empty."""
        words = _spelled(value)
        if words not in WEEKDAYS or self.day(words) != self.today:
            return ""
        later = self.day(f"next_{words}")
        return f"{words.capitalize()} is taken as today, {self.today}; next_{words} is {later}."

    def moment(self, value: str) -> datetime | None:
        """An ISO date and time in the organisation's time zone, which is meant where it says none.

        None if it is none. Raises `ToolError` for one too far away.
        """
        moment = iso_moment(value)
        if moment is None:
            return None
        # PostgreSQL does not take every offset that Python does.
        return moment.astimezone(self.zone) if moment.tzinfo else moment.replace(tzinfo=self.zone)

    def start_of(self, day: date) -> datetime:
        return datetime.combine(day, time.min, self.zone)

    def end_of(self, day: date) -> datetime:
        """The last microsecond of the day in the zone."""
        if day == date.max:
            return datetime.combine(day, time.max, self.zone)
        # The last microsecond before the next day, also where the clocks change in between.
        tomorrow = self.start_of(day + timedelta(days=1)).astimezone(ZoneInfo("UTC"))
        return (tomorrow - timedelta(microseconds=1)).astimezone(self.zone)


def _spelled(words: str) -> str:
    return "_".join(words.lower().replace("_", " ").split())


def _calendar(year: str, month: str | None, quarter: str | None) -> Range:
    """A month, a quarter or a year of the calendar."""
    if month:
        return _months(date(int(year), int(month), 1), 1, 0)
    if quarter:
        return _months(date(int(year), int(quarter) * 3, 1), 3, 0)
    return date(int(year), 1, 1), date(int(year), 12, 31)


def _months_later(day: date, months: int) -> date:
    """The same day so many months later, or the last one of a month that is too short."""
    first, last = _months(day, 1, months)
    return min(first + timedelta(days=day.day - 1), last)


def _months(today: date, count: int, shift: int) -> tuple[date, date]:
    """The block of `count` months that holds today, moved by `shift` blocks."""
    block = (today.year * 12 + today.month - 1) // count + shift
    first, following = block * count, (block + 1) * count
    start = date(first // 12, first % 12 + 1, 1)
    return start, date(following // 12, following % 12 + 1, 1) - timedelta(days=1)
