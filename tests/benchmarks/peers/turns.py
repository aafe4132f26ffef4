"""Servers in turns: CPU of each and of PostgreSQL's sessions."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from django.db import connection

from tests.benchmarks.http_client import send
from tests.benchmarks.serving import Served

CALLS = 40


@dataclass
class Turns:
    """Milliseconds a call, an entry for each round."""

    cpu: list[float] = field(default_factory=list)
    database: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)
    characters: int = 0

    def ratio(self, first: Turns, what: str) -> float:
        """The median over the rounds, so that a round in which the machine was slow is fair."""
        pairs = zip(getattr(self, what), getattr(first, what), strict=True)
        ratio: float = statistics.median(one / other for one, other in pairs)
        return ratio


def in_turns(
    servers: Mapping[str, tuple[Served, bytes | Iterator[bytes]]], rounds: int
) -> dict[str, Turns]:
    """Each round sends the same number of calls to each server, one after the other."""
    turns = {name: Turns() for name in servers}
    for server, message in servers.values():
        asyncio.run(send(server.ports, message, 10, 1))
    for _ in range(rounds):
        for name, (server, message) in servers.items():
            before = server.cpu(), database_cpu()
            timed = asyncio.run(send(server.ports, message, CALLS, 1))
            each = turns[name]
            each.cpu.append((server.cpu() - before[0]) / CALLS)
            each.database.append((database_cpu() - before[1]) / CALLS)
            each.wall.append(statistics.median(timed.each))
            each.characters = timed.characters
    return turns


def database_cpu() -> float:
    """Milliseconds that the sessions of this PostgreSQL have used; it runs on this machine."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'")
        pids = [pid for (pid,) in cursor.fetchall()]
    # By the scheduler's own count, which is finer than the clock's ticks.
    counts = (Path(f"/proc/{pid}/schedstat") for pid in pids)
    return sum(int(each.read_text().split()[0]) for each in counts if each.exists()) / 1e6
