"""`python -m benchmarks`: measures on a database of its own, printed as Markdown.

With DATABASE_URL the database named there is used, and filled; it should be an empty one.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
from pathlib import Path

FOLDER = Path(".bench-db")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--listed", type=int, default=300, help="records behind the lists")
    parser.add_argument("--own", type=int, default=10_000, help="records of the growing org")
    parser.add_argument("--foreign", type=int, default=990_000, help="leads of other orgs")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings.test")
    if "DATABASE_URL" not in os.environ:
        shutil.rmtree(FOLDER, ignore_errors=True)
    from settings.postgres import ensure_database_url

    ensure_database_url(FOLDER)
    import django

    django.setup()
    print(report(options.rounds, options.listed, options.own, options.foreign))


def report(rounds: int, listed: int, own: int, foreign: int) -> str:
    from django.core.management import call_command

    from benchmarks import growth, lists, world

    call_command("migrate", verbosity=0)
    org, admin, user = world.organisation("Measured")
    world.fill(org, admin, user, listed)
    large, large_admin, large_user = world.organisation("Large")
    world.fill(large, large_admin, large_user, own)
    world.analyze()
    as_admin, _ = world.crm_of(admin)
    as_user, _ = world.crm_of(user)
    as_large, _ = world.crm_of(large_admin)
    third = foreign // 3
    sections = {
        f"Lists, administrator of {listed:,} records of each entity": lists.run(as_admin, rounds),
        "Lists, user who sees a fifth of them": lists.run(as_user, rounds),
        "Summarize against fetching": growth.summarize_against_fetching(as_large, 1),
        f"Growth of others, own {own:,} leads": growth.foreign(
            as_large, (0, third, 2 * third, foreign), rounds
        ),
        "Growth of one's own": growth.own((100, 1_000, 5_000), rounds),
    }
    head = f"{platform.machine()}, {os.cpu_count()} cores, {platform.python_implementation()} "
    head += f"{platform.python_version()}; medians of {rounds} interleaved rounds"
    parts = [head, *(f"## {title}\n\n{body}" for title, body in sections.items())]
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    main()
