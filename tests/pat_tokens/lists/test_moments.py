from datetime import UTC, datetime
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest

from pat_tokens.lists.moments import as_moment, zone_of

KOLKATA = ZoneInfo("Asia/Kolkata")


@pytest.mark.parametrize(
    ("text", "at_end", "moment"),
    [
        ("2026-12-31", False, datetime(2026, 12, 30, 18, 30, tzinfo=UTC)),
        ("2026-12-31", True, datetime(2026, 12, 31, 18, 29, 59, 999999, tzinfo=UTC)),
        ("2026-12-31T10:00", True, datetime(2026, 12, 31, 4, 30, tzinfo=UTC)),
        ("2026-12-31T10:00:00Z", True, datetime(2026, 12, 31, 10, tzinfo=UTC)),
        ("0001-01-01", False, datetime.min.replace(tzinfo=UTC)),
        ("9999-12-31T23:59:59-11:00", True, datetime.max.replace(tzinfo=UTC)),
        ("2026-12-31T10:00:00-23:00", True, datetime(2027, 1, 1, 9, tzinfo=UTC)),
    ],
)
def test_moment(text, at_end, moment) -> None:
    assert as_moment(text, KOLKATA, at_end=at_end) == moment


@pytest.mark.parametrize(
    "text", ["", "tomorrow", "2026-02-30", "0000-01-01", "10000-01-01", "9" * 5000]
)
def test_no_moment(text) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (any message)
        as_moment(text, KOLKATA)


@pytest.mark.parametrize("name", ["Mars/Olympus", "../etc/passwd", None, ""])
def test_organisation_without_a_known_zone(name) -> None:
    assert str(zone_of(SimpleNamespace(pk=1, timezone=name))) == "UTC"
