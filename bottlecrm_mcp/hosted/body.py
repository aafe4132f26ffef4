"""The body of a request: read whole, in time and within a size.

It is read before the token is looked up: however long a client holds back the last byte, what it
may do is decided after that byte.
"""

from __future__ import annotations

import asyncio
from typing import Any

from bottlecrm_mcp.conf import mcp_settings
from bottlecrm_mcp.hosted.errors import HttpError
from bottlecrm_mcp.tools.files import size_in_words

# More digits than any size that is served.
MOST_DIGITS = 15
# What is left of the body must not be taken for another request.
CLOSE = ("Connection", "close")


class Disconnected(Exception):
    """The client left before it had said what it wants."""


async def read_body(
    scope: Any, receive: Any, most: int, code: int = 0, seconds: int | None = None
) -> bytes:
    """The body of at most so many bytes.

    Raises `HttpError` (413, or 408 after `BODY_SECONDS` if no other time is given), with the
    JSON-RPC `code` if one is given, and `Disconnected`.
    """
    require_declared_size(scope, most, code)
    seconds = seconds or mcp_settings().BODY_SECONDS
    try:
        async with asyncio.timeout(seconds):
            return await _whole(receive, most, code)
    except TimeoutError:
        late = f"The body did not arrive within {seconds} second{'s' * (seconds != 1)}."
        raise HttpError(408, late, [CLOSE], code) from None


def require_declared_size(scope: Any, most: int, code: int = 0) -> None:
    """Raises `HttpError` for a body that is said to be larger, before any of it is read."""
    if _declares_more(scope, most):
        raise _too_large(most, code)


def _declares_more(scope: Any, most: int) -> bool:
    declared = [value for name, value in scope["headers"] if name == b"content-length"]
    return any(
        each.isdigit() and (len(each) > MOST_DIGITS or int(each) > most) for each in declared
    )


async def _whole(receive: Any, most: int, code: int) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        body += message.get("body", b"")
        if len(body) > most:
            raise _too_large(most, code)
        if not message.get("more_body", False):
            return bytes(body)


def _too_large(most: int, code: int) -> HttpError:
    message = f"The body is larger than {size_in_words(most)}, which is the limit here."
    return HttpError(413, message, [CLOSE], code)
