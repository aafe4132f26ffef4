"""How much one answer may hold, and what is said where something was cut."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

MOST_CHARACTERS = 20_000
LONGEST_IN_LIST = 200
LONGEST_IN_RECORD = 6_000


def size(value: Any) -> int:
    """Characters of a value as the client gets it."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def shortened(row: Mapping[str, Any], longest: int = LONGEST_IN_LIST) -> dict[str, Any]:
    """The row with its long texts cut, each cut marked by an ellipsis."""
    return {
        key: value[:longest] + "…" if isinstance(value, str) and len(value) > longest else value
        for key, value in row.items()
    }


def cut_fields(record: Mapping[str, Any]) -> list[str]:
    """The fields whose text is too long for one answer."""
    return [
        key
        for key, value in record.items()
        if isinstance(value, str) and len(value) > LONGEST_IN_RECORD
    ]


def rows_that_fit(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """As many of the first rows as one answer may hold, at least one."""
    left = MOST_CHARACTERS - 2_000
    for index, row in enumerate(rows):
        left -= size(row) + 1
        if left < 0:
            return rows[: max(index, 1)]
    return rows
