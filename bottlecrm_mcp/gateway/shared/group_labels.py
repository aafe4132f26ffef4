"""Group labels of a summary, whatever computes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal

LABELS: Mapping[str, Callable[[date], str]] = {
    "day": lambda day: day.isoformat(),
    # The Monday that the week begins with.
    "week": lambda day: day.isoformat(),
    "month": lambda day: f"{day:%Y-%m}",
    "quarter": lambda day: f"{day.year}-Q{(day.month + 2) // 3}",
    "year": lambda day: str(day.year),
}
NONE = "(none)"
CENT = Decimal("0.01")
SHARE = Decimal("0.0001")
