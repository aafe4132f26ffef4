"""CSV for spreadsheets, in which no cell is a formula."""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from typing import Any

# What spreadsheets take for a formula at the beginning of a cell, also behind blanks.
FORMULA = re.compile(r"\s*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")


def csv_lines(rows: Iterable[Iterable[Any]]) -> str:
    """The rows as lines of a CSV file."""
    text = io.StringIO()
    csv.writer(text).writerows(_cells(row) for row in rows)
    return text.getvalue()


def _cells(row: Iterable[Any]) -> Iterator[str]:
    for value in row:
        text = "" if value is None else str(value)
        yield f"'{text}" if FORMULA.match(text) else text
