"""Faults of the database, made by a superuser."""

from __future__ import annotations

import random
import subprocess
import time
from typing import Any

import psycopg
from psycopg import sql

from bottlecrm_mcp.hosted.health import NAME
from tests.soak.site import Database


class Faults:
    """What goes wrong with a database, and what is left of it afterwards."""

    def __init__(self, database: Database, dice: random.Random) -> None:
        self.database = database
        self.dice = dice

    def kill_connections(self, seconds: float) -> None:
        """Ends one of the server's connections after the other."""
        until = time.monotonic() + seconds
        with self._connected() as connection:
            while time.monotonic() < until:
                pids = [row["pid"] for row in self.connections(connection)]
                if pids:
                    connection.execute("SELECT pg_terminate_backend(%s)", [self.dice.choice(pids)])
                time.sleep(self.dice.uniform(0.05, 0.3))

    def hold(self, seconds: float) -> None:
        """Locks a table, so that all who read it wait and the pool runs dry."""
        with self._connected() as connection, connection.transaction():
            connection.execute("SET LOCAL lock_timeout = '10s'")
            connection.execute(
                sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(
                    sql.Identifier(self.database.locked)
                )
            )
            time.sleep(seconds)

    def restart(self, seconds: float) -> None:
        """The database is away for this long."""
        self.run(self.database.stop)
        time.sleep(seconds)
        self.run(self.database.start)

    def run(self, command: tuple[str, ...]) -> None:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def left(self) -> dict[str, int]:
        """The server's connections by what they do, without those of the health check.

        Each process has one of these, outside its pool, once it was asked.
        """
        states: dict[str, int] = {}
        with self._connected() as connection:
            for row in self.connections(connection):
                if row["application_name"] != NAME:
                    states[row["state"]] = states.get(row["state"], 0) + 1
        return states

    def version(self) -> str:
        with self._connected() as connection:
            row = connection.execute("SHOW server_version").fetchone()
        return str(row["server_version"]).split()[0] if row else ""

    def connections(self, connection: psycopg.Connection[Any]) -> list[Any]:
        asked = """SELECT pid, state, application_name FROM pg_stat_activity
            WHERE usename = %s AND state IS NOT NULL"""
        return connection.execute(asked, [self.database.role]).fetchall()

    def _connected(self) -> psycopg.Connection[Any]:
        return psycopg.connect(
            self.database.url, autocommit=True, row_factory=psycopg.rows.dict_row
        )
