"""`python -m tests.soak`: many tenants at once, through one fault after the other.

It ends with status 1 if anything was seen that must not be.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import random
import signal
import sys
from pathlib import Path

from tests.benchmarks.results import machine, record
from tests.soak import report
from tests.soak.attackers import Attackers
from tests.soak.callers import Callers
from tests.soak.client import Client
from tests.soak.database import Faults
from tests.soak.demo import demo_site
from tests.soak.ledger import Ledger
from tests.soak.logs import token_material
from tests.soak.phases import CALLERS, WELL_IN_A_ROW, WELL_WITHIN, Result, Soak
from tests.soak.server import Server
from tests.soak.site import Site

FOLDER = Path(".soak")
FILLERS = 8


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.soak")
    parser.add_argument("--minutes", type=float, default=2, help="of load, over all phases")
    parser.add_argument("--tenants", type=int, default=50)
    parser.add_argument("--port", type=int, default=8765)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--site", type=Path, help="a JSON file that names another site")
    parser.add_argument("--record", action="store_true", help="keep the result in RESULTS.md")
    options = parser.parse_args()
    # Leaving by an exception lets the server and the database stop as well.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    site = (
        Site.load(options.site)
        if options.site
        else demo_site(FOLDER, options.tenants, options.port)
    )
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    dice = random.Random(options.seed)
    faults = Faults(site.database, dice)
    with Server(site) as server:
        results = asyncio.run(soak(site, server, faults, dice, options.minutes * 60))
    found = token_material(site)
    text = summary(site, results, found, faults.version())
    print(text)
    if options.record:
        record(report.RESULTS, site.name, f"## {site.name}\n\n{text}")
    problems = [problem for result in results for problem in result.tally.problems]
    for problem in problems[:50]:
        print(problem, file=sys.stderr)
    sys.exit(bool(problems or found or any(result.leaks for result in results)))


async def soak(
    site: Site, server: Server, faults: Faults, dice: random.Random, seconds: float
) -> list[Result]:
    ledger = Ledger()
    client = Client(site.url, ledger.owners)
    # The last tenant is the one that attacks.
    last = max(person.tenant for person in site.people)
    bad = [person for person in site.people if person.tenant == last]
    good = tuple(person for person in site.people if person.tenant != last)
    callers = Callers(client, ledger, good, dice)
    attackers = Attackers(site.url, bad, dice, client.problem)
    run = Soak(site, server, faults, client, ledger, callers, attackers)
    phases, results = run.phases(), []
    try:
        await callers.until_well(WELL_IN_A_ROW, WELL_WITHIN)
        await callers.fill(FILLERS)
        for name, fault in phases.items():
            results.append(await run.phase(name, fault, seconds / len(phases)))
            print(report.row(results[-1]), file=sys.stderr, flush=True)
        print(f"Answers to the attackers: {dict(attackers.answers)}", file=sys.stderr)
    finally:
        await client.close()
    return results


def summary(site: Site, results: list[Result], found: int, postgres: str) -> str:
    tenants = len({person.tenant for person in site.people})
    return "\n\n".join(
        [
            f"{machine(postgres)}; {tenants} tenants, {len(site.people)} people, {CALLERS} "
            f"callers at once, {site.connections} connections.",
            report.table(results),
            f"Token material in the logs: {found or 'none'}.",
        ]
    )


if __name__ == "__main__":
    main()
