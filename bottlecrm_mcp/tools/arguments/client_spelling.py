"""Arguments as some clients send them: null for what is absent, JSON text for what is no text."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

# By the schema's word for it.
SPELLED: Mapping[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "integer": (int,),
    "boolean": (bool,),
}


def as_meant(
    arguments: Mapping[str, Any],
    schemas: Mapping[str, Mapping[str, Any]],
    required: Collection[str],
    strict: Collection[str],
) -> dict[str, Any]:
    """The arguments with absence for null and values for their JSON text, where that fits.

    CrewAI and others send every optional argument; some builds of Claude Code and claude.ai send
    objects and lists as text. `strict` are those that are taken as they are.
    """
    return {
        name: value if name in strict else _value(value, schemas.get(name, {}).get("type"))
        for name, value in arguments.items()
        if value is not None or name in required or name not in schemas
    }


def _value(value: Any, kind: Any) -> Any:
    wanted = SPELLED.get(kind) if isinstance(kind, str) else None
    if wanted is None or not isinstance(value, str):
        # 50.0 is the same number in JSON and in JSON Schema, and not in Python.
        is_whole = kind == "integer" and isinstance(value, float) and value.is_integer()
        return int(value) if is_whole else value
    try:
        meant = json.loads(value)
    except (ValueError, RecursionError):
        # One word where a list of words is meant.
        return [value] if kind == "array" else value
    return meant if type(meant) in wanted else value
