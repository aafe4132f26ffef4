"""The phases of a soak: one fault each, then what must hold after it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.soak.attackers import Attackers
from tests.soak.callers import Callers
from tests.soak.client import Client, Tally, quantile
from tests.soak.database import Faults
from tests.soak.leaks import LEAK
from tests.soak.ledger import Ledger, check
from tests.soak.server import Server
from tests.soak.site import Site

CALLERS = 24
WELL_IN_A_ROW = 20
WELL_WITHIN = 30
SETTLED_WITHIN = 15
# Of the time of a phase: how long nothing happens at first, and how long the fault lasts.
QUIET, FAULTY = 0.35, 0.5
# How much slower others may become while somebody attacks.
MOST_SLOWER = 2
Fault = Callable[[float], Awaitable[None]]


@dataclass
class Result:
    """What was seen in a phase. `slower` is the 95th percentile of the others' calls during an
    attack, as a multiple of the one before it; 0 where nobody attacks."""

    name: str
    tally: Tally
    seconds: float
    well_after: float
    leaks: int
    repeated: int
    slower: float


@dataclass
class Soak:
    site: Site
    server: Server
    faults: Faults
    client: Client
    ledger: Ledger
    callers: Callers
    attackers: Attackers

    def phases(self) -> dict[str, Fault | None]:
        return {
            "steady": None,
            "connections killed": self.kill_connections,
            "clients hang up": self.hang_up,
            "pool exhausted": self.exhaust,
            "SIGTERM and start": self.terminate,
            "SIGKILL of a worker": self.kill_worker,
            "SIGKILL and start": self.kill,
            "database restarted": self.restart_database,
            **self.attacks(),
        }

    def attacks(self) -> dict[str, Fault]:
        return {
            "bodies held": self.attackers.hold_bodies,
            "number bombs": self.attackers.bomb_numbers,
            "word bombs": self.attackers.bomb_words,
        }

    async def phase(self, name: str, fault: Fault | None, seconds: float) -> Result:
        self.client.tally = tally = Tally()
        started, leaks = time.monotonic(), self._leaks()
        is_attack, slower = name in self.attacks(), 0.0
        faults = fault is not None and not is_attack
        load = asyncio.create_task(self.callers.run(CALLERS, seconds, faults=faults))
        if fault is not None:
            await asyncio.sleep(seconds * QUIET)
            before = len(tally.seconds)
            await fault(seconds * FAULTY)
            if is_attack:
                slower = self._slower(tally.seconds[:before], tally.seconds[before:])
        await load
        if slower > MOST_SLOWER:
            self.client.problem(f"Others were {slower:.1f} times slower while they were attacked")
        well_after = await self.callers.until_well(WELL_IN_A_ROW, WELL_WITHIN)
        self.client.tally = afterwards = Tally()
        repeated = await self.callers.repeat()
        await check(self.client, self.ledger, self.site.people)
        await self._check_connections()
        tally.problems += afterwards.problems
        tally.foreign += afterwards.foreign
        leaked = self._leaks() - leaks
        took = time.monotonic() - started
        return Result(name, tally, took, well_after, leaked, repeated, slower)

    def _slower(self, before: list[float], meanwhile: list[float]) -> float:
        if not (before and meanwhile):
            self.client.problem("Nobody was answered in time to say how much slower others were")
            return 0.0
        return quantile(meanwhile, 0.95) / quantile(before, 0.95)

    async def kill_connections(self, seconds: float) -> None:
        await asyncio.to_thread(self.faults.kill_connections, seconds)

    async def hang_up(self, seconds: float) -> None:
        self.callers.impatience = 0.3
        await asyncio.sleep(seconds)
        self.callers.impatience = 0.0

    async def exhaust(self, seconds: float) -> None:
        await asyncio.to_thread(self.faults.hold, seconds)

    async def terminate(self, seconds: float) -> None:
        await asyncio.to_thread(self.server.stop)
        self.server.start()

    async def kill_worker(self, seconds: float) -> None:
        for _ in range(2):
            self.server.kill_worker()
            await asyncio.sleep(seconds / 2)

    async def kill(self, seconds: float) -> None:
        await asyncio.to_thread(self.server.kill)
        self.server.start()

    async def restart_database(self, seconds: float) -> None:
        await asyncio.to_thread(self.faults.restart, min(seconds / 2, 5))

    async def _check_connections(self) -> None:
        """Once nobody calls, no transaction is open and no connection is outside the pools."""
        for _ in range(SETTLED_WITHIN):
            left = self.faults.left()
            if set(left) <= {"idle"} and sum(left.values()) <= self.site.connections:
                return
            await asyncio.sleep(1)
        self.client.problem(f"Left of the server's connections: {left}")

    def _leaks(self) -> int:
        return sum(each.read_text(errors="replace").count(LEAK) for each in self.site.logs)
