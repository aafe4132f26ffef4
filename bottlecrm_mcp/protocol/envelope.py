"""Envelope of a JSON-RPC message: what MCP demands of it and the SDK does not look at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Characters of an id, which is sent back, and of a method's name, which errors repeat.
LONGEST = 256


def fault(message: Mapping[str, Any]) -> str:
    """Why this is no request or notification; empty if it is one, or something else altogether."""
    method = message.get("method")
    if isinstance(method, str) and len(method) > LONGEST:
        return f"A method's name has at most {LONGEST} characters. This begins {method[:40]!r}."
    if "method" in message and "id" in message and not is_id(message["id"]):
        return (
            f"The id of a request is a string of at most {LONGEST} characters or an integer. A "
            "notification has none."
        )
    return ""


def is_id(value: Any) -> bool:
    """Whether this can be the id of a request, and be sent back."""
    is_allowed = isinstance(value, str | int) and not isinstance(value, bool)
    return is_allowed and len(str(value)) <= LONGEST
