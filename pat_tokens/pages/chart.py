"""Chart of a token's use, as the numbers of an SVG."""

from typing import Any

from django.utils.formats import date_format

from pat_tokens.models import Token
from pat_tokens.services.daily_use import DAYS, use_of

HEIGHT = 60
WIDTH = 10


def chart_of(token: Token) -> dict[str, Any]:
    """Bars of the last days, and the sentence that says the same in words."""
    use = use_of(token)
    most = max(minutes for _, minutes in use)
    days = sum(1 for _, minutes in use if minutes)
    bars = []
    for number, (day, minutes) in enumerate(use):
        # A day of little use is seen beside one of much.
        height = max(3, round(HEIGHT * minutes / most)) if minutes else 1
        bar = {"x": number * WIDTH, "y": HEIGHT - height, "height": height}
        bars.append({**bar, "day": day, "minutes": minutes})
    said = f"Not used in the last {DAYS} days."
    if days:
        busiest = date_format(next(day for day, minutes in use if minutes == most), "j M")
        said = (
            f"Used on {days} of the last {DAYS} days. On the busiest one, {busiest}, it was used "
            f"in {most} minute{'' if most == 1 else 's'}. Days begin and end in UTC."
        )
    return {"bars": bars, "summary": said, "first": use[0][0], "last": use[-1][0]}
