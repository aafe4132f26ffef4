"""A caller's JSON values as numbers, dates, ids and words: bounded before they are converted.

A few characters can stand for a number of millions of digits ("1e400000") or for a year that
PostgreSQL keeps and no driver loads again, and a long text for a condition per word. So nothing
else in this package converts what a caller wrote.
"""

from __future__ import annotations

import math
import re
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from bottlecrm_mcp.tools.errors import ToolError

# JSON can spell half of a pair, which is no character and can't be stored.
_SURROGATE = re.compile("[\ud800-\udfff]")

# Characters of a number or a date: more than any has.
LONGEST_SCALAR = 40
# Digits before the decimal point; no amount of the CRM has more. A float may show 17 after it.
WHOLE_DIGITS = 15
DECIMAL_PLACES = 20
# PostgreSQL's `integer`.
LARGEST_WHOLE = 2**31 - 1
# Bits of any other whole number, such as one that is meant as text.
MOST_BITS = 63
# Beyond these, counting with dates overflows somewhere: here, in the CRM or in a driver.
YEARS = (1000, 2999)
# Characters and words of a text that records are looked for by; no name is longer.
LONGEST_SOUGHT = 255
MOST_WORDS = 30

NOT_A_NUMBER = "Must be a number such as 12500.50, without a currency."
# 125,000, 1,250,000.50 or 12,50,000; a single comma with other digits after it is a decimal point
# somewhere.
_GROUPED = re.compile(r"[+-]?(\d{1,3}(,\d{3})+|\d{1,2}(,\d{2})+,\d{3})(\.\d*)?", re.ASCII)


def require_number(number: int | float) -> None:
    """Raises `ToolError` for a JSON number that no kind of field can hold."""
    if isinstance(number, int):
        if number.bit_length() > MOST_BITS:
            raise ToolError("invalid_arguments", "Whole numbers must have at most 18 digits.")
    elif not math.isfinite(number):
        # Python reads NaN, Infinity and 1e400 as numbers, and writes what is no JSON.
        raise ToolError("invalid_arguments", "Numbers must be finite.")


def require_text(text: str) -> None:
    """Raises `ToolError` for characters that PostgreSQL can't store."""
    if "\x00" in text:
        raise ToolError("invalid_arguments", "Text must not hold a NUL character.")
    if _SURROGATE.search(text):
        raise ToolError("invalid_arguments", "Text must not hold half a surrogate pair.")


def decimal(value: Any) -> Decimal:
    """A JSON number or its text as a decimal that is safe to write out. Raises `ToolError`."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ToolError("invalid_value", NOT_A_NUMBER)
    if isinstance(value, int) and value.bit_length() > MOST_BITS:
        raise _too_long()
    text = str(value)
    if len(text) > LONGEST_SCALAR:
        raise _too_long()
    if _GROUPED.fullmatch(text):
        text = text.replace(",", "")
    try:
        number = Decimal(text)
    except InvalidOperation as problem:
        raise ToolError("invalid_value", NOT_A_NUMBER) from problem
    if not number.is_finite():
        raise ToolError("invalid_value", NOT_A_NUMBER)
    exponent = number.as_tuple().exponent
    if number.adjusted() >= WHOLE_DIGITS or not -DECIMAL_PLACES <= int(exponent) <= WHOLE_DIGITS:
        raise _too_long()
    return number


def written_out(number: Decimal) -> str:
    """The number without an exponent."""
    return format(number, "f")


def boolean(value: Any) -> bool:
    """A JSON truth value or its text. Raises `ToolError`."""
    spelled = value.strip().lower() if isinstance(value, str) else ""
    if spelled in ("true", "false"):
        return spelled == "true"
    if not isinstance(value, bool):
        raise ToolError("invalid_value", "Must be true or false.")
    return value


def whole(value: Any) -> int:
    """A JSON number or its text as a whole number of 32 bits. Raises `ToolError`."""
    number = decimal(value)
    if number != number.to_integral_value():
        raise ToolError("invalid_value", "Must be a whole number.")
    if abs(number) > LARGEST_WHOLE:
        raise ToolError("invalid_value", f"Must be at most {LARGEST_WHOLE}.")
    return int(number)


def iso_day(text: str) -> date | None:
    """An ISO date, None if it is none."""
    try:
        return date.fromisoformat(text) if len(text) <= LONGEST_SCALAR else None
    except ValueError:
        return None


def iso_moment(text: str) -> datetime | None:
    """An ISO date and time, None if it is none. Raises `ToolError` for one too far away."""
    try:
        moment = datetime.fromisoformat(text) if len(text) <= LONGEST_SCALAR else None
    except ValueError:
        return None
    if moment is not None:
        require_near(moment)
    return moment


def require_near(day: date) -> None:
    """Raises `ToolError` for a day or moment that nothing should be asked to count with."""
    first, last = YEARS
    if not first <= day.year <= last:
        raise ToolError("invalid_value", f"Must be between the years {first} and {last}.")


def is_id(value: object) -> bool:
    """Whether this is a UUID in the form that BottleCRM's URLs take."""
    if not isinstance(value, str) or len(value) != 36:
        return False
    try:
        return str(UUID(value)) == value.lower()
    except ValueError:
        return False


def require_short(text: str) -> None:
    """Raises `ToolError` for a text that is too long to compare records with."""
    require_text(text)
    if len(text) > LONGEST_SOUGHT:
        raise ToolError(
            "invalid_value", f"To look for, text must have at most {LONGEST_SOUGHT} characters."
        )


def require_few_words(text: str) -> None:
    """Raises `ToolError` for a text with too many words to look for each of them."""
    require_short(text)
    if len(text.split()) > MOST_WORDS:
        raise ToolError("invalid_value", f"To look for, text must have at most {MOST_WORDS} words.")


def _too_long() -> ToolError:
    return ToolError(
        "invalid_value",
        f"Must be a number with at most {WHOLE_DIGITS} digits before the decimal point and "
        f"{DECIMAL_PLACES} after it.",
    )
