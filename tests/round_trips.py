"""Round trips to PostgreSQL, counted in what its client library logs of the protocol."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

import psycopg


@dataclass
class Trips:
    """`count` once the block is over."""

    count: int = 0


@contextmanager
def round_trips() -> Iterator[Trips]:
    """How often anything in this process waits until a connection is ready again."""
    trips, wait = Trips(), psycopg.Connection.wait
    logs: dict[Any, Any] = {}

    with ExitStack() as stack:

        def logged(self: psycopg.Connection[Any], *arguments: Any, **options: Any) -> Any:
            if self.pgconn not in logs:
                logs[self.pgconn] = log = stack.enter_context(tempfile.TemporaryFile("rb"))
                self.pgconn.trace(log.fileno())
            return wait(self, *arguments, **options)

        with mock.patch.object(psycopg.Connection, "wait", logged):
            yield trips
        for pgconn, log in logs.items():
            pgconn.untrace()
            log.seek(0)
            trips.count += log.read().count(b"ReadyForQuery")
