"""Revocation at /mcp/revoke, by whoever holds a leaked token: the CRM refuses the anonymous."""

from __future__ import annotations

import json
import logging
from io import BytesIO
from typing import Any

from django.core.handlers.asgi import ASGIRequest
from django.db import Error as DatabaseError

from bottlecrm_mcp.conf import mcp_settings
from bottlecrm_mcp.gateway.in_process.deadline import Deadline
from bottlecrm_mcp.gateway.in_process.live_connection import ensure_live_connection
from bottlecrm_mcp.hosted import thread_pool
from bottlecrm_mcp.hosted.body import read_body
from bottlecrm_mcp.hosted.errors import Headers, HttpError

PATHS = ("/mcp/revoke", "/mcp/revoke/")
UNKNOWN = "It is not known whether the token was revoked; try again."

logger = logging.getLogger("bottlecrm_mcp")

Response = tuple[int, bytes, Headers]


async def revoke(scope: Any, receive: Any) -> Response:
    """Status, body and headers of the answer. Needs `pat_tokens`.

    Raises `HttpError`, and `Disconnected` if the client left.
    """
    from pat_tokens.mcp_endpoint import (
        MAX_REPORT_BYTES,
        ReportResponse,
        answer_report,
        source_of,
    )

    if scope["method"] != "POST":
        raise HttpError(405, "Use POST.", [("Allow", "POST")])
    source = source_of(ASGIRequest(scope, BytesIO()))
    body = await read_body(scope, receive, MAX_REPORT_BYTES)

    def report() -> ReportResponse:
        ensure_live_connection()
        return answer_report(body, source)

    try:
        answer = await thread_pool.in_pool_within(report, Deadline(mcp_settings().CALL_SECONDS))
    except (DatabaseError, thread_pool.Busy, thread_pool.Overdue) as problem:
        logger.warning("A leaked token could not be revoked: %s", type(problem).__name__)
        raise HttpError(503, UNKNOWN, [("Retry-After", "1")]) from problem
    return answer.status, json.dumps(answer.body).encode(), []
