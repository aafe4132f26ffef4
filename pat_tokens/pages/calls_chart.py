"""Chart of the calls of each day, as the numbers of an SVG."""

from collections.abc import Sequence
from typing import Any

from pat_tokens.pages.chart import HEIGHT, WIDTH
from pat_tokens.services.calls import MOST_COUNTED, Day


def chart_of_days(days: Sequence[Day], is_complete: bool) -> dict[str, Any]:
    """Bars, the lower part of each for what was refused or failed, and the same in words."""
    most = max(each.calls for each in days)
    bars = []
    for number, each in enumerate(days):
        height, bad = _height(each.calls, most), _height(each.refused + each.error, most)
        bar = {"x": number * WIDTH, "y": HEIGHT - height, "height": height}
        bars.append({**bar, "bad": bad, "bad_y": HEIGHT - bad, "day": each})
    total = sum(each.calls for each in days)
    said = f"{total:,} call{'' if total == 1 else 's'} in the last {len(days)} days"
    if total:
        said += f", up to {most:,} in a day"
    if not is_complete:
        said = f"The newest {MOST_COUNTED:,} calls of the last {len(days)} days"
    return {
        "bars": bars,
        "summary": f"{said}.",
        "first": days[0].day,
        "last": days[-1].day,
        "days": [each for each in reversed(days) if each.calls],
    }


def _height(calls: int, most: int) -> int:
    # A day of few calls is seen beside one of many.
    return max(3, round(HEIGHT * calls / most)) if calls else 0
