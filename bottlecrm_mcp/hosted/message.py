"""The JSON-RPC message in a body, parsed once."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from mcp_types import INVALID_REQUEST, PARSE_ERROR

from bottlecrm_mcp.hosted.errors import HttpError
from bottlecrm_mcp.protocol import envelope

# Values of a message and how deep they lie: small ones take longest to read, and the whole process
# waits. Arguments have bounds of their own, which are far smaller.
MOST_VALUES = 20_000
DEEPEST = 100
HALF_PAIR = re.compile(rb"\\u[dD][89a-fA-F]")
TOO_MANY = f"A message holds {MOST_VALUES} values at most."
NO_JSON = "The body is not JSON in UTF-8."
NO_OBJECT = "The body is one JSON-RPC message, an object: send those of a batch one by one."
TOO_DEEP = f"A message is nested {DEEPEST} levels deep at most."


def message_in(body: bytes) -> Mapping[str, Any]:
    """The message in a body.

    Raises `HttpError` for what is no JSON, for a batch, for a message that is malformed, and for
    one whose reading would take long.
    """
    containers = body.count(b"[") + body.count(b"{")
    if containers > MOST_VALUES:
        raise HttpError(400, TOO_MANY, code=INVALID_REQUEST)
    message = _json(body)
    # Each value is the first in its container, or it follows a comma.
    if containers >= DEEPEST or containers + body.count(b",") > MOST_VALUES:
        _require_small(message)
    if not isinstance(message, dict):
        raise HttpError(400, NO_OBJECT, code=INVALID_REQUEST)
    if fault := envelope.fault(message):
        request_id = message.get("id")
        known = request_id if envelope.is_id(request_id) else None
        raise HttpError(400, fault, code=INVALID_REQUEST, request_id=known)
    return message


def _json(body: bytes) -> Any:
    try:
        value = json.loads(body.decode())
        if HALF_PAIR.search(body):
            # Python reads half a surrogate pair, which is no character and can't be sent on.
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as problem:
        raise HttpError(400, NO_JSON, code=PARSE_ERROR) from problem
    return value


def _require_small(message: Any) -> None:
    left, level = MOST_VALUES, [message]
    for _ in range(DEEPEST):
        level = [part for value in level for part in _parts(value)]
        left -= len(level)
        if left < 0:
            raise HttpError(400, TOO_MANY, code=INVALID_REQUEST)
        if not level:
            return
    raise HttpError(400, TOO_DEEP, code=INVALID_REQUEST)


def _parts(value: Any) -> Any:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
