"""Health check at /mcp/healthz: whether this process can serve a call, for load balancers.

It asks for no token and no Host, and tells no more than yes or no. However many ask at once, one
query answers them all.
"""

from __future__ import annotations

import asyncio
import json
import logging

from django.db import connection

from bottlecrm_mcp.gateway.in_process.deadline import Deadline
from bottlecrm_mcp.gateway.in_process.live_connection import ensure_live_connection
from bottlecrm_mcp.hosted import thread_pool

PATHS = ("/mcp/healthz", "/mcp/healthz/")
SECONDS = 3

logger = logging.getLogger("bottlecrm_mcp")

Response = tuple[int, bytes, list[tuple[bytes, bytes]]]


class Health:
    """Whether a thread of the pool reaches the database within a few seconds."""

    def __init__(self) -> None:
        self._probe: asyncio.Task[bool] | None = None

    async def response(self, method: str) -> Response:
        """Status, body and headers of the answer."""
        if method not in ("GET", "HEAD"):
            return 405, _body(error="Use GET."), [(b"allow", b"GET, HEAD")]
        headers = [(b"cache-control", b"no-store")]
        if await self._is_reachable():
            return 200, _body(status="ok"), headers
        return (
            503,
            _body(status="unavailable", error="The database can't be reached in time."),
            headers,
        )

    async def _is_reachable(self) -> bool:
        if self._probe is None or self._probe.done():
            self._probe = asyncio.ensure_future(_reach())
        return await asyncio.shield(self._probe)


async def _reach() -> bool:
    try:
        await thread_pool.in_pool_within(_query, Deadline(SECONDS))
    except Exception as problem:
        logger.warning("The database can't be reached: %s", type(problem).__name__)
        return False
    return True


def _query() -> None:
    ensure_live_connection()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _body(**said: str) -> bytes:
    return json.dumps(said).encode()
