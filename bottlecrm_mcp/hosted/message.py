"""The JSON-RPC message in a body, parsed once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from mcp_types import INVALID_REQUEST

from bottlecrm_mcp.hosted.errors import HttpError
from bottlecrm_mcp.protocol import envelope


def message_in(body: bytes) -> Mapping[str, Any]:
    """The message, or an empty one where the body is none, which the SDK refuses.

    Raises `HttpError` for a request that the SDK would take for a notification, or send back whole.
    """
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(message, dict):
        return {}
    if fault := envelope.fault(message):
        raise HttpError(400, fault, code=INVALID_REQUEST)
    return message
