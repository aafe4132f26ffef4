"""A caller's values are understood or refused; what is refused costs nothing."""

import time
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bottlecrm_mcp.tools.arguments import scalars
from bottlecrm_mcp.tools.errors import ToolError

JSON_NUMBERS = st.integers() | st.floats() | st.decimals().map(str) | st.text(max_size=50)
# Exponents that Python reads, with more digits than it can write out in a day.
BOMBS = [
    f"{sign}{digits}e{exponent}"
    for sign in ("", "-", "+")
    for digits in ("1", "0", "0.000", "9.9")
    for exponent in (10**9, -(10**9), 10**17, -(10**17), 10**6)
]


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (5, "5"),
        (-5, "-5"),
        (0.1, "0.1"),
        (0.30000000000000004, "0.30000000000000004"),
        ("12.50", "12.50"),
        (" 7 ", "7"),
        ("1e3", "1000"),
        ("125,000.50", "125000.50"),
        ("12,34,567", "1234567"),
        ("999999999999999", "999999999999999"),
        (1e14, "100000000000000.0"),
        (1e-7, "0.0000001"),
        ("0", "0"),
    ],
)
def test_decimal(value: Any, number: str) -> None:
    assert scalars.written_out(scalars.decimal(value)) == number


@pytest.mark.parametrize(
    "value",
    [
        *BOMBS,
        "1e15",
        1e15,
        10**15,
        10**4_000,
        "9" * 41,
        "9" * 1_000_000,
        "NaN",
        "sNaN123",
        "Infinity",
        "",
        "x",
        "1,5",
        True,
        None,
        [1],
        {"a": 1},
    ],
)
def test_no_decimal(value: Any) -> None:
    begun = time.thread_time()
    for read in (scalars.decimal, scalars.whole):
        with pytest.raises(ToolError, match="Must be a"):
            read(value)
    assert time.thread_time() - begun < 0.1


@given(JSON_NUMBERS)
def test_any_number_is_short_when_it_is_written_out(value: Any) -> None:
    try:
        number = scalars.decimal(value)
    except ToolError:
        return
    assert len(scalars.written_out(number)) <= 40
    assert Decimal(scalars.written_out(number)) == Decimal(str(value))


@pytest.mark.parametrize(
    ("value", "number"), [(5, 5), (5.0, 5), ("-5", -5), ("2147483647", 2**31 - 1), ("1e3", 1000)]
)
def test_whole(value: Any, number: int) -> None:
    assert scalars.whole(value) == number


@pytest.mark.parametrize("value", [2**31, -(2**31), "3000000000", 0.5, "0.5", 1e14])
def test_not_whole(value: Any) -> None:
    with pytest.raises(ToolError, match="Must be"):
        scalars.whole(value)


@pytest.mark.parametrize("value", [2**63, -(10**4_000), float("nan"), float("inf")])
def test_number_that_no_field_holds(value: Any) -> None:
    with pytest.raises(ToolError):
        scalars.require_number(value)


@given(st.text() | st.integers() | st.none() | st.lists(st.text()))
def test_only_uuids_are_ids(value: Any) -> None:
    assert not scalars.is_id(value)


@given(st.uuids())
def test_ids(value: Any) -> None:
    assert scalars.is_id(str(value))
    assert scalars.is_id(str(value).upper())
    for other in (value.hex, value.urn, f"{{{value}}}", f" {value}"):
        assert not scalars.is_id(other)


@given(st.text(max_size=60))
def test_any_text_is_a_date_or_none(text: str) -> None:
    for read in (scalars.iso_day, scalars.iso_moment):
        with suppress(ToolError):
            assert read(text) is None or read(text).year


def test_text_to_look_for() -> None:
    scalars.require_short("x" * 255)
    scalars.require_few_words("ab " * 30)
    for text in ("x" * 256, "\x00", "\ud800"):
        with pytest.raises(ToolError):
            scalars.require_short(text)
    with pytest.raises(ToolError, match="30 words"):
        scalars.require_few_words("ab " * 31)
