"""Points in time as people write them, in the time zone of their organisation."""

import logging
import re
from datetime import UTC, date, datetime, time, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils import timezone

logger = logging.getLogger("pat_tokens")

DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def zone_of(org: Any) -> tzinfo:
    """The time zone of an organisation, or Django's current one."""
    name = getattr(org, "timezone", None)
    if not name:
        return timezone.get_current_timezone()
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        logger.warning("Organisation %s has an unknown time zone: %s", org.pk, name)
        return timezone.get_current_timezone()


def end_of(day: date, zone: tzinfo) -> datetime:
    """The last microsecond of the day."""
    return datetime.combine(day, time.max, tzinfo=zone)


def as_moment(text: str, zone: tzinfo, *, at_end: bool = False) -> datetime:
    """A date or a time in ISO form, in UTC; of a date its beginning, or its end.

    What is beyond a calendar is its first or last moment. Raises ValueError.
    """
    if DATE.fullmatch(text):
        moment = datetime.combine(date.fromisoformat(text), time.max if at_end else time.min)
    else:
        moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return (datetime.max if moment.year > 1 else datetime.min).replace(tzinfo=UTC)
