"""A hosted tool call against the same REST call on the same server, and what the protocol costs."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bottlecrm_mcp.catalogue.model import Entity
from bottlecrm_mcp.tools.crm import Crm
from tests.benchmarks.http_client import Timed, request, rpc, send, tool
from tests.benchmarks.measure import table
from tests.benchmarks.serving import Served, served
from tests.benchmarks.world import FILLED

ROWS = 10
# So that a round takes long enough for the clock of a process's CPU, which ticks in 10 ms.
ROUND_MS = 400
MOST_CALLS = 100


@dataclass
class Load:
    """One kind of request under one load, over all rounds."""

    message: bytes | Iterator[bytes]
    status: int = 200
    each: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    cpu: float = 0.0
    characters: int = 0

    def add(self, timed: Timed, cpu: float) -> None:
        self.each += timed.each
        self.rates.append(len(timed.each) / timed.seconds)
        self.cpu += cpu
        self.characters = timed.characters

    @property
    def cpu_ms(self) -> float:
        return self.cpu / len(self.each)

    @property
    def rate(self) -> float:
        return statistics.median(self.rates)

    def quantile(self, part: float) -> float:
        ordered = sorted(self.each)
        return ordered[int(part * (len(ordered) - 1))]


def compare(
    servers: Mapping[Any, Served], loads: Mapping[Any, tuple[Any, int, Load]], rounds: int
) -> None:
    """Interleaved rounds; a load names its server and how many callers it has."""
    calls = {}
    for name, (server, callers, load) in loads.items():
        ports = servers[server].ports
        asyncio.run(send(ports, load.message, 4 * callers, callers, load.status))
        once = asyncio.run(send(ports, load.message, 4, 1, load.status))
        ms = statistics.median(once.each)
        calls[name] = max(2 * callers, min(MOST_CALLS, round(ROUND_MS / ms)))
    for _ in range(rounds):
        for name, (server, callers, load) in loads.items():
            before = servers[server].cpu()
            timed = asyncio.run(
                send(servers[server].ports, load.message, calls[name], callers, load.status)
            )
            load.add(timed, servers[server].cpu() - before)


def search(secret: str, entity: Entity) -> Load:
    return Load(tool(secret, "crm_search", entity=entity.name, limit=ROWS))


def rest_list(secret: str, entity: Entity) -> Load:
    return Load(request("GET", f"{entity.path}?limit={ROWS}", secret))


def beside(
    pairs: Mapping[str, tuple[Load, Load]], rounds: int
) -> list[tuple[str, float, float, float, float, float]]:
    """Of each pair: its name, both medians, both CPUs, and the ratio of these."""
    loads = {(name, which): (1, 1, pair[which]) for name, pair in pairs.items() for which in (0, 1)}
    with served(1) as server:
        compare({1: server}, loads, rounds)
    return [
        (
            name, ours.quantile(0.5), rest.quantile(0.5), ours.cpu_ms, rest.cpu_ms,
            ours.cpu_ms / rest.cpu_ms,
        )
        for name, (ours, rest) in pairs.items()
    ]  # fmt: skip


def entities(crm: Crm, secret: str, rounds: int) -> str:
    """Each entity's search beside its REST list, one caller, one worker."""
    filled = [crm.entity(name) for name in FILLED]
    pairs = {each.name: (search(secret, each), rest_list(secret, each)) for each in filled}
    rows = [
        (*row, found.characters / rest.characters)
        for row, (found, rest) in zip(beside(pairs, rounds), pairs.values(), strict=True)
    ]
    head = (
        "entity", "search p50 ms", "REST p50 ms", "search CPU ms", "REST CPU ms", "CPU ratio",
        "size ratio",
    )  # fmt: skip
    return table(head, rows)


def under_load(crm: Crm, secret: str, rounds: int) -> str:
    """A search and its REST list with 1 and 8 callers, on 1 and 2 workers."""
    leads = crm.entity("leads")
    made = {"crm_search": search, "REST list": rest_list}
    loads = {
        (workers, callers, name): (workers, callers, make(secret, leads))
        for workers in (1, 2)
        for callers in (1, 8)
        for name, make in made.items()
    }
    with served(1) as one, served(2) as two:
        compare({1: one, 2: two}, loads, rounds)
    rows = []
    for (workers, callers, name), (_, _, load) in loads.items():
        alone = loads[1, callers, name][2].rate
        half, most = load.quantile(0.5), load.quantile(0.95)
        rows.append(
            (
                name,
                workers,
                callers,
                load.cpu_ms,
                half,
                most,
                most / half,
                load.rate,
                load.rate / alone,
            )
        )
    head = (
        "leads by", "workers", "callers", "CPU ms", "p50 ms", "p95 ms", "p95 : p50", "calls/s",
        "rate : 1 worker",
    )  # fmt: skip
    return table(head, rows)


def protocol(crm: Crm, secret: str, rounds: int) -> str:
    """From an answer at the door to a search: what each step adds."""
    steps = {
        "healthz: uvicorn, one SELECT": Load(request("GET", "/mcp/healthz")),
        "refused without a token: + Host, Origin, log line": Load(
            rpc("", "tools/list", {}), status=401
        ),
        "tools/list: + token, SDK, schemas": Load(rpc(secret, "tools/list", {})),
        "a call with a bad argument: + tool, nothing asked of the CRM": Load(
            tool(secret, "crm_search", entity="leads", limt=1)
        ),
        "crm_search, 10 leads: + the CRM": search(secret, crm.entity("leads")),
    }
    with served(1) as server:
        compare({1: server}, {name: (1, 1, load) for name, load in steps.items()}, rounds)
    last = steps["crm_search, 10 leads: + the CRM"].cpu_ms
    rows = [
        (name, load.quantile(0.5), load.cpu_ms, load.cpu_ms / last) for name, load in steps.items()
    ]
    return table(("request", "p50 ms", "CPU ms", "part of a search"), rows)
