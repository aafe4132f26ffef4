"""Truncation: how much one answer may hold, and what is said where something was cut."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

MOST_CHARACTERS = 20_000
LONGEST_IN_LIST = 200
LONGEST_IN_RECORD = 6_000
LONGEST_IN_ERROR = 500
# In what a write answers, which is what was sent.
LONGEST_IN_ANSWER = 500
LONGEST_IN_PREVIEW = 500


def compact(value: Any) -> str:
    """JSON as answers have it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def size(value: Any) -> int:
    """Characters of a value as the client gets it."""
    return len(compact(value))


def bytes_of(value: Any) -> int:
    """The length of the value as compact JSON."""
    return len(compact(value).encode())


def shortened(row: Mapping[str, Any], longest: int = LONGEST_IN_LIST) -> dict[str, Any]:
    """The row with its long texts cut, each cut marked by an ellipsis."""
    return {
        key: value[:longest] + "…" if isinstance(value, str) and len(value) > longest else value
        for key, value in row.items()
    }


def texts_cut(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """A sentence on the fields of these rows whose texts `shortened` cuts."""
    names = {
        name: None
        for row in rows
        for name, value in row.items()
        if isinstance(value, str) and len(value) > LONGEST_IN_LIST
    }
    said = f"Texts of more than {LONGEST_IN_LIST} characters were cut ({', '.join(names)})"
    return [f"{said}; crm_get shows them."] if names else []


def marked_cuts(value: Any, longest: int) -> Any:
    """The value with every text in it cut after so many characters, each cut marked."""
    if isinstance(value, str):
        return value[:longest] + more_than(value, longest)
    if isinstance(value, Mapping):
        return {key: marked_cuts(each, longest) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [marked_cuts(each, longest) for each in value]
    return value


def more_than(text: str, longest: int) -> str:
    """What is said of the rest of a text that is cut; nothing of one that is not."""
    left_out = len(text) - longest
    return f"… ({left_out} more characters)" if left_out > 0 else ""


def rows_that_fit(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """As many of the first rows as one answer may hold, at least one."""
    left = MOST_CHARACTERS - 2_000
    for index, row in enumerate(rows):
        left -= size(row) + 1
        if left < 0:
            return rows[: max(index, 1)]
    return rows


def fitted(answer: Mapping[str, Any]) -> dict[str, Any]:
    """The answer; if it is too long, with its longest texts cut and a note that says so."""
    cut, notes = dict(answer), list(answer.get("notes", ()))
    for longest in (LONGEST_IN_RECORD, 2_000, LONGEST_IN_ERROR, LONGEST_IN_LIST):
        if size(cut) <= MOST_CHARACTERS:
            break
        note = f"Texts of more than {longest} characters were cut in the middle."
        more = "crm_get of one record shows more of them."
        cut = {**cut_texts(answer, longest), "notes": [*notes, f"{note} {more}"]}
    return cut


def as_told(written: Mapping[str, Any]) -> dict[str, Any]:
    """What a write answers, its long texts cut: the caller has just sent them."""
    cut: dict[str, Any] = cut_texts(written, LONGEST_IN_ANSWER)
    if cut == written:
        return cut
    note = f"Texts of more than {LONGEST_IN_ANSWER} characters were cut in the middle here only."
    return {**cut, "notes": [note]}


def cut_texts(value: Any, longest: int) -> Any:
    """The value with every text in it, keys too, cut in the middle to about this length."""
    if isinstance(value, str) and len(value) > longest:
        return f"{value[: longest // 2]} … {value[-longest // 2 :]}"
    if isinstance(value, Mapping):
        return {cut_texts(key, longest): cut_texts(each, longest) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [cut_texts(each, longest) for each in value]
    return value
