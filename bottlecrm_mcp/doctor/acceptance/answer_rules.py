"""Answer rules: what holds for every answer of every tool, whatever was asked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from bottlecrm_mcp.conf import mcp_settings
from bottlecrm_mcp.tools.arguments.custom_fields import PREFIX

MOST_CHARACTERS_OF_TEN_ROWS = 4_000
PAGE = re.compile(r"<!doctype|<html", re.IGNORECASE)
# Here null says that a field had no value, or repeats what was asked.
NULL_MEANS_SOMETHING = ("changed", "changes", "data", "expect", "params")


def objections(tool: str, answer: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with an answer that is not an error."""
    yield from _walk(answer, "", mcp_settings().catalogue.withheld)
    if tool in ("crm_search", "crm_get"):
        yield from _unknown_columns(answer)


def too_long(tool: str, arguments: Mapping[str, Any], characters: int) -> bool:
    short = tool == "crm_search" and arguments.get("limit", 20) <= 10
    return short and "fields" not in arguments and characters >= MOST_CHARACTERS_OF_TEN_ROWS


def _walk(value: Any, path: str, withheld: frozenset[str]) -> Iterator[str]:
    if value is None:
        yield f"{path} is null"
    elif isinstance(value, str) and PAGE.search(value):
        yield f"{path} holds an HTML page"
    elif isinstance(value, Mapping):
        for key, each in value.items():
            if key in withheld and path != ".include":
                yield f"{path}.{key} is not for an agent"
            elif key not in NULL_MEANS_SOMETHING:
                yield from _walk(each, f"{path}.{key}", withheld)
    elif isinstance(value, list):
        for each in value:
            yield from _walk(each, f"{path}[]", withheld)


def _unknown_columns(answer: Mapping[str, Any]) -> Iterator[str]:
    entity = mcp_settings().catalogue.entity(str(answer.get("entity")))
    if entity is None:
        return
    published = {"id", *(field.name for field in entity.fields)}
    for row in (*answer.get("records", ()), answer.get("record", {})):
        named = {key for key in row if not key.startswith(PREFIX)}
        if unknown := sorted(named - published):
            yield f"{entity.name} show unpublished {', '.join(unknown)}"
            return
