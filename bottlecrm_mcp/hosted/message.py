"""The JSON-RPC message in a body, parsed once; what is sent back of it is bounded.

Whatever else is wrong with it is the SDK's to refuse.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from mcp_types import INVALID_REQUEST

from bottlecrm_mcp.hosted.errors import HttpError

LONGEST = 256
BAD_ID = f"The id of a request is a whole number, or a string of at most {LONGEST} characters."
BAD_METHOD = f"The method of a request is a string of at most {LONGEST} characters."


def message_in(body: bytes) -> Mapping[str, Any]:
    """The message, or an empty one if it is none.

    Raises `HttpError` if it is a request whose answer could not name it. Without an `id` a message
    is a notification; the SDK takes one with an odd id for a notification, too.
    """
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(message, dict):
        return {}
    if "method" in message and "id" in message:
        _require(_is_id(message["id"]), BAD_ID)
        _require(_is_short(message["method"]), BAD_METHOD)
    return message


def _is_id(value: Any) -> bool:
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    return (is_whole and _is_short(str(value))) or _is_short(value)


def _is_short(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST


def _require(is_good: bool, problem: str) -> None:
    if not is_good:
        raise HttpError(400, problem, code=INVALID_REQUEST)
