"""/mcp/revoke: ends a leaked token for whoever holds it. The CRM itself refuses the anonymous."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any

from django.core.handlers.asgi import ASGIRequest

from bottlecrm_mcp import pool

PATHS = ("/mcp/revoke", "/mcp/revoke/")

Response = tuple[int, bytes, list[tuple[bytes, bytes]]]


async def revoke(scope: Any, receive: Any) -> Response:
    """Status, body and headers of the answer. Needs `pat_tokens`."""
    from pat_tokens.leaks import MAX_BODY_BYTES, Answer, answer_report
    from pat_tokens.source import source_of

    source = source_of(ASGIRequest(scope, BytesIO()))
    if scope["method"] != "POST":
        answer = Answer(405, {"error": "Use POST."}, {"Allow": "POST"})
    else:
        body = await _body(receive, MAX_BODY_BYTES)
        if body is None:
            answer = Answer(413, {"error": "The body is too large."})
        else:
            answer = await pool.in_pool(lambda: answer_report(body, source))
    headers = [(name.lower().encode(), value.encode()) for name, value in answer.headers.items()]
    return answer.status, json.dumps(answer.body).encode(), headers


async def _body(receive: Any, most: int) -> bytes | None:
    """The whole body, or None if it is larger than that, or the client left."""
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > most or message["type"] == "http.disconnect":
            return None
        if not message.get("more_body", False):
            return bytes(body)
