"""A database connection that still lives, of those that a pool lends.

After a restart of the database a pool lends the connections from before it, each of which would
fail one call.
"""

from __future__ import annotations

from typing import Any

import psycopg
from django.db import connection


def ensure_live_connection() -> None:
    """Borrow a connection for this thread, or make sure of the one it has.

    Raises `django.db.Error` if there is none to be had.
    """
    connection.ensure_connection()
    while not connection.in_atomic_block and _has_ended(connection.connection):
        connection.connection.close()
        connection.close()
        connection.ensure_connection()


def _has_ended(raw: psycopg.Connection[Any]) -> bool:
    """Whether the database has closed this idle connection, without asking it (microseconds)."""
    try:
        # The first reads what the database said at last, the second that it is gone.
        raw.pgconn.consume_input()
        raw.pgconn.consume_input()
    except psycopg.OperationalError:
        return True
    return False
