"""Whether a server's memory stays where it is, over many calls."""

from __future__ import annotations

import asyncio

from tests.benchmarks.http_client import rpc, send, tool
from tests.benchmarks.measure import table
from tests.benchmarks.serving import served

CALLERS = 8
PARTS = 10
MOST_GROWTH = 0.05


def run(secret: str, record_id: str, calls: int) -> str:
    """Resident memory of one worker after each tenth of the calls, the first being the warm-up."""
    kinds = (
        tool(secret, "crm_search", entity="leads", limit=10),
        tool(secret, "crm_get", entity="leads", id=record_id),
        tool(secret, "crm_search", entity="leads", limt=1),
        rpc(secret, "tools/list", {}),
    )
    rows: list[tuple[object, ...]] = []
    with served(1) as server:
        first = 0.0
        for part in range(1, PARTS + 1):
            for message in kinds:
                asyncio.run(send(server.ports, message, calls // PARTS // len(kinds), CALLERS))
            now = server.memory()
            first = first or now
            rows.append((calls * part // PARTS, now, now / first))
    grown = float(str(rows[-1][2])) - 1
    verdict = "flat" if grown <= MOST_GROWTH else "growing"
    said = (
        f"{CALLERS} callers; searches, gets, refused calls and tools/list in turn: {verdict}.\n\n"
    )
    return said + table(("calls", "RSS MB", "to the first tenth"), rows)
