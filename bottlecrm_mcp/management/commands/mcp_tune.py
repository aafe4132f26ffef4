"""Command mcp_tune: what the database lacks to be quick for the tools."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import Error as DatabaseError
from django.db import connection

from bottlecrm_mcp.doctor.tuning import Remedy, remedies


class Command(BaseCommand):
    help = (
        "Prints the statistics and indexes that would help this database, as SQL, by the rows that "
        "its tables have. With --apply it makes them, beside the running CRM: no table is locked "
        "against reading or writing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--apply", action="store_true", help="make them now")

    def handle(self, *args: Any, apply: bool, **options: Any) -> None:
        found = remedies()
        for remedy in found:
            self.stdout.write(f"-- {remedy.table} ({remedy.rows:,} rows): {remedy.why}")
            for statement in remedy.statements:
                self.stdout.write(f"{statement};")
            if apply:
                _make(remedy)
        self.stdout.write(_summary(len(found), apply))


def _make(remedy: Remedy) -> None:
    if connection.in_atomic_block:
        raise CommandError("Indexes can't be made concurrently inside a transaction.")
    try:
        with connection.cursor() as cursor:
            # An index of a large table takes longer than a request may.
            cursor.execute("SET statement_timeout = 0")
            for statement in remedy.statements:
                cursor.execute(statement)
    except DatabaseError as problem:
        raise CommandError(
            f"{remedy.table}: {problem} Run these statements as the owner of the table; what was "
            "made until now stays."
        ) from problem
    finally:
        connection.close()


def _summary(count: int, applied: bool) -> str:
    if not count:
        return "Nothing is missing."
    if applied:
        return f"{count} made."
    return f"{count} would help. Run `manage.py mcp_tune --apply`, or give the SQL to the owner."
