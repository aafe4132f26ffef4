"""Measures of one kind of call beside another, in interleaved rounds of one run."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from bottlecrm_mcp.gateway.in_process.gateway import database_call


@dataclass
class Cost:
    """What a call cost: medians of all rounds. Milliseconds; CPU is this process's own."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    queries: int = 0
    characters: int = 0

    @property
    def wall_ms(self) -> float:
        return statistics.median(self.wall)

    @property
    def cpu_ms(self) -> float:
        return statistics.median(self.cpu)


def compare(calls: Mapping[str, Callable[[], int]], rounds: int) -> dict[str, Cost]:
    """Each call returns the characters of its answer. Rounds go through all calls in turn."""
    costs = {name: Cost() for name in calls}
    for name, call in calls.items():
        # A token's first use is recorded, later ones within the minute are not.
        with database_call():
            call()
        with database_call(), CaptureQueriesContext(connection) as captured:
            costs[name].characters = call()
            costs[name].queries = len(captured)
    for _ in range(rounds):
        for name, call in calls.items():
            wall, cpu = time.perf_counter(), time.thread_time()
            with database_call():
                call()
            costs[name].wall.append((time.perf_counter() - wall) * 1000)
            costs[name].cpu.append((time.thread_time() - cpu) * 1000)
    return costs


def table(head: tuple[str, ...], rows: list[tuple[Any, ...]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(_cell(each) for each in row) + " |" for row in rows]
    return "\n".join(lines)


def _cell(value: Any) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)
