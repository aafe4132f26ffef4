"""Errors of tool calls: what was wrong, where, and what to do next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from itertools import islice
from typing import Any, NoReturn

from bottlecrm_mcp.gateway.base import Reply
from bottlecrm_mcp.tools.truncation import LONGEST_IN_ERROR, cut_texts

DEAD_TOKEN = "Organization context is required"
NOTHING_CHANGED = "Nothing was changed."
MOST_FIELDS = 20
# What is compared to find the nearest: so many names, and so much of what was written.
MOST_COMPARED = 1_000
LONGEST_COMPARED = 100
# How much a misspelt word is like the one that was meant, and how long a part of it is one.
MISSPELT = 0.65
SHORTEST_PART = 3
UNSENT = (
    "The change is saved, but what the CRM is to do in the background after it ({}) is not known "
    "to have reached its message broker. Take it as not mailed and not done, whatever the record "
    "says, and tell the person."
)
MAYBE_KEPT = "The CRM may have kept this or a part of it: look before you try again."


def unsent_warnings(tasks: Iterable[str]) -> list[str]:
    """What an agent has to know of background tasks that did not reach the message broker."""
    named = ", ".join(dict.fromkeys(tasks))
    return [UNSENT.format(named)] if named else []


class ToolError(Exception):
    """Ends a tool call with an error that an agent can act on.

    `code` is one of a fixed set of words, `fields` maps a field to what is wrong with it, `hint`
    says what to do.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        fields: Mapping[str, str] | None = None,
        hint: str = "",
        candidates: Iterable[Mapping[str, Any]] = (),
    ) -> None:
        # A message repeats what was wrong, however long that was.
        self.message: str = cut_texts(message, LONGEST_IN_ERROR)
        super().__init__(self.message)
        self.code = code
        self.fields = dict(fields or {})
        self.hint = hint
        self.candidates = [dict(each) for each in candidates]

    def as_dict(self) -> dict[str, Any]:
        parts: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.fields:
            first = dict(islice(self.fields.items(), MOST_FIELDS))
            parts["fields"] = cut_texts(first, LONGEST_IN_ERROR)
        if self.candidates:
            parts["candidates"] = self.candidates
        if self.hint:
            parts["hint"] = self.hint
        return {"error": parts}


def nearest(
    wanted: object, valid: Iterable[str], most: int = 3, likeness: float = 0.5
) -> list[str]:
    """The valid names that look most like `wanted`, best first.

    `likeness` is the least, from 0 to 1: as of names of records, where the nearest is of use
    however far it is.
    """
    by_lower = {each.lower(): each for each in islice(valid, MOST_COMPARED)}
    wanted = str(wanted)[:LONGEST_COMPARED].lower()
    close = get_close_matches(wanted, by_lower, most, likeness)
    contained = [
        each
        for each in by_lower
        if min(len(wanted), len(each)) >= SHORTEST_PART and (wanted in each or each in wanted)
    ]
    return [by_lower[each] for each in dict.fromkeys([*close, *contained])][:most]


def suggest(wanted: object, valid: Iterable[str]) -> str:
    """A sentence that names the nearest valid names, or all of them if none is near."""
    names = list(valid)
    close = nearest(wanted, names, likeness=MISSPELT)
    if close:
        return f"Did you mean {' or '.join(repr(each) for each in close)}?"
    shown = ", ".join(names[:30])
    return f"Valid: {shown}{', …' if len(names) > 30 else ''}."


def raise_for(reply: Reply, subject: str, *, wrote: bool = False) -> None:
    """Turn an answer of 400 or more into a `ToolError`; `subject` names what was asked for."""
    if not reply.ok:
        ending = MAYBE_KEPT if reply.maybe_kept else NOTHING_CHANGED
        _raise(reply, subject, ending if wrote else "")


def _raise(reply: Reply, subject: str, ending: str) -> NoReturn:
    message, fields = complaint(reply.data)
    if DEAD_TOKEN in message or reply.status == 401:
        raise ToolError(
            "unauthorized",
            "The CRM no longer accepts this token: it was revoked, has expired, or its owner is "
            "inactive.",
            hint="Ask the person to create a new token under Settings → API Tokens.",
        )
    if reply.status == 404:
        raise ToolError("not_found", f"{subject} was not found.", hint=ending)
    if reply.status == 403:
        said = message or f"You may not do this to {subject}."
        raise ToolError("forbidden", said, fields=fields, hint=ending)
    if reply.status == 405:
        raise ToolError("not_supported", f"The CRM does not offer this for {subject}.", hint=ending)
    if reply.status >= 500:
        raise ToolError(
            "crm_error",
            f"The CRM failed on this request for {subject} (status {reply.status}).",
            hint=ending,
        )
    code = "rejected"
    if reply.status == 409:
        # It says what is in the way: a running timer's entry, a pending approval.
        code, fields = "conflict", {**_ids_in(reply.data), **fields}
    raise ToolError(code, message or f"The CRM rejected {subject}.", fields=fields, hint=ending)


def _ids_in(data: Any) -> dict[str, str]:
    named = data.items() if isinstance(data, Mapping) else ()
    return {key: value for key, value in named if key.endswith("_id") and isinstance(value, str)}


def complaint(data: Any) -> tuple[str, dict[str, str]]:
    """The sentence and the per-field messages of any of BottleCRM's five shapes of error body."""
    if not isinstance(data, Mapping):
        return "", {}
    for key in ("errors", "message", "detail", "error"):
        value = data.get(key)
        if isinstance(value, str):
            return value, {}
        if isinstance(value, Mapping):
            return _by_field(value)
    return _by_field({key: value for key, value in data.items() if key != "error"})


def _by_field(errors: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    fields = {str(name): _flat(value) for name, value in errors.items()}
    general = fields.pop("non_field_errors", "")
    named = f"The CRM rejected {', '.join(fields)}." if fields else ""
    return general or named, fields


def _flat(value: Any) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {_flat(each)}" for key, each in value.items())
    if isinstance(value, list | tuple):
        return " ".join(_flat(each) for each in value)
    return str(value)
