"""`python -m tests.benchmarks`: measures on a database of its own, printed as Markdown.

With DATABASE_URL the database named there is used, and filled; it should be an empty one. `--only`
names the sections to measure, `--record` keeps them in RESULTS.md.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks.results import machine, record

FOLDER = Path(".bench-db")
RESULTS = Path(__file__).parent / "RESULTS.md"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--listed", type=int, default=300, help="records behind the lists")
    parser.add_argument("--own", type=int, default=10_000, help="records of the growing org")
    parser.add_argument("--foreign", type=int, default=990_000, help="leads of other orgs")
    parser.add_argument("--calls", type=int, default=10_000, help="of the section on memory")
    parser.add_argument("--only", nargs="*", help="names of sections")
    parser.add_argument("--record", action="store_true", help="keep the results in RESULTS.md")
    options = parser.parse_args()
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.benchmarks.settings"
    os.environ["DEMO_DIR"] = str(FOLDER)
    if "DATABASE_URL" not in os.environ:
        shutil.rmtree(FOLDER, ignore_errors=True)
    from settings.postgres import ensure_database_url

    ensure_database_url(FOLDER)
    import django

    django.setup()
    run(options)


def run(options: argparse.Namespace) -> None:
    from tests.benchmarks.peers import compare as peers

    measured = sections(options)
    wanted = options.only or [each for each in measured if each != "peers" or peers.PYTHON]
    if "peers" in wanted and not peers.PYTHON:
        raise SystemExit("PEERS_PYTHON names no interpreter: see tests/benchmarks/peers/compare.py")
    postgres = prepare(options)
    for name in wanted:
        print(f"{name} …", file=sys.stderr, flush=True)
        title, measure = measured[name]
        on = f"{machine(postgres)}; {options.rounds} interleaved rounds."
        text = f"## {title}\n\n{measure()}\n\n{on}"
        print(text, end="\n\n", flush=True)
        if options.record:
            record(RESULTS, name, text)


def prepare(options: argparse.Namespace) -> str:
    """Fill the database; its version."""
    from django.core.management import call_command
    from django.db import connection

    from tests.benchmarks import world

    call_command("migrate", verbosity=0)
    world.people("Measured", options.listed)
    world.analyze()
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        return str(cursor.fetchone()[0]).split()[0]


def sections(options: argparse.Namespace) -> dict[str, tuple[str, Callable[[], str]]]:
    """By name: the title, and what measures it."""
    from tests.benchmarks import gateways, growth, hosted, lists, memory, profile, world, writes
    from tests.benchmarks.peers import compare as peers

    rounds, third = options.rounds, options.foreign // 3

    def admin() -> world.Member:
        return world.people("Measured", options.listed)[0]

    def user() -> world.Member:
        return world.people("Measured", options.listed)[1]

    def large() -> world.Member:
        return world.people("Large", options.own)[0]

    def drawn(name: str, measured: growth.Growth) -> str:
        if options.record:
            (RESULTS.parent / f"{name}.svg").write_text(measured.chart())
        return f"{measured.table()}\n\n![{measured.of}]({name}.svg)"

    def of_others() -> str:
        steps = (0, third, 2 * third, options.foreign)
        return drawn("growth-others", growth.foreign(large().crm, steps, rounds))

    def of_own() -> str:
        return drawn("growth-own", growth.own((100, 10_000, 100_000, 1_000_000), rounds))

    return {
        "entities": (
            f"Hosted searches beside the REST lists, {options.listed:,} records of each entity",
            lambda: hosted.entities(*admin(), rounds),
        ),
        "writes-hosted": (
            f"Writes beside the REST writes, {options.listed:,} records of each entity",
            lambda: writes.run(*admin(), rounds),
        ),
        "load": (
            "One and eight callers, one and two workers",
            lambda: hosted.under_load(*admin(), rounds),
        ),
        "peers": (
            "The answer of a search of ten leads by other servers",
            lambda: peers.run(*admin(), rounds),
        ),
        "protocol": ("What the protocol costs", lambda: hosted.protocol(*admin(), rounds)),
        "profile": (
            "Where the event loop's CPU goes in a call that asks nothing of the CRM",
            lambda: profile.run(admin().secret),
        ),
        "gateways": (
            "In process against the REST API",
            lambda: gateways.run(*admin(), rounds),
        ),
        "lists": (
            "Searches in process beside the REST lists, administrator",
            lambda: lists.run(admin().crm, rounds),
        ),
        "lists-user": (
            "The same, a user who sees a fifth of the records",
            lambda: lists.run(user().crm, rounds),
        ),
        "fetching": (
            "Summarize against fetching",
            lambda: growth.summarize_against_fetching(large().crm, 1),
        ),
        "growth-own": ("Growth of one's own", of_own),
        "growth-others": (
            f"Growth of others, own {options.own:,} leads",
            of_others,
        ),
        "memory": (
            f"Memory over {options.calls:,} calls",
            lambda: memory.run(admin().secret, world.first_lead("Measured"), options.calls),
        ),
    }


if __name__ == "__main__":
    main()
