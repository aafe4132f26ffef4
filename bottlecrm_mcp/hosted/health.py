"""Health check at /mcp/healthz: whether this process reaches the database, for load balancers.

It asks for no token and no Host, and tells no more than yes or no. It has a thread and a connection
of its own, so that it does not wait behind calls; however many ask at once, one query answers all.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from concurrent.futures import Future, ThreadPoolExecutor
from math import ceil
from typing import Any

import psycopg
from django.db import connection

PATHS = ("/mcp/healthz", "/mcp/healthz/")
# Of the thread, and of its connection for PostgreSQL.
NAME = "bottlecrm-mcp-health"
# How long the database may take to answer.
SECONDS = 3
# A process with much to do takes its time for this query too: who asks has what the last one found,
# unless that was long ago.
PATIENCE_SECONDS = 0.02
FRESH_SECONDS = 60

logger = logging.getLogger("bottlecrm_mcp")

Response = tuple[int, bytes, list[tuple[bytes, bytes]]]


class Health:
    """Whether the database answers within a few seconds."""

    def __init__(self) -> None:
        self._probe = Probe()

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
        running = self._probe.start()
        patience = PATIENCE_SECONDS if self._probe.is_known_good else SECONDS
        await asyncio.wait([asyncio.wrap_future(running)], timeout=patience)
        return running.result() if running.done() else self._probe.is_known_good


class Probe:
    """One query at a time, on a thread and a connection of its own."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=NAME)
        self._raw: psycopg.Connection[Any] | None = None
        self._running: Future[bool] | None = None
        self._started = self._good_until = 0.0

    def start(self) -> Future[bool]:
        """The query that runs, or a new one; its result is whether the database answered."""
        if self._running is None or self._running.done():
            self._started = time.monotonic()
            self._running = self._thread.submit(self._reach)
        return self._running

    @property
    def is_known_good(self) -> bool:
        """Whether the last query was answered a while ago, and the next is not late yet."""
        now = time.monotonic()
        return now < self._good_until and now - self._started < SECONDS

    def _reach(self) -> bool:
        is_reused = self._raw is not None
        try:
            self._query()
        except psycopg.Error as problem:
            self.close()
            # Of the connection that was kept it may only say that PostgreSQL was restarted.
            if is_reused:
                return self._reach()
            logger.warning("The database can't be reached: %s", type(problem).__name__)
            self._good_until = 0.0
            return False
        self._good_until = time.monotonic() + FRESH_SECONDS
        return True

    def _query(self) -> None:
        if self._raw is None:
            self._raw = psycopg.connect(**_parameters(), autocommit=True)
        self._raw.execute("SELECT 1")

    def close(self) -> None:
        raw, self._raw = self._raw, None
        if raw is not None:
            raw.close()

    def __del__(self) -> None:
        self.close()


def _parameters() -> dict[str, Any]:
    """Those of the CRM's connections; not one of its pool, which calls may have used up."""
    return {
        **connection.get_connection_params(),
        "application_name": NAME,
        "connect_timeout": ceil(SECONDS),
        "tcp_user_timeout": int(SECONDS * 1000),
    }


def _body(**said: str) -> bytes:
    return json.dumps(said).encode()
