"""Database connection that a pool thread keeps from one work to the next.

A call is two works, and each used to borrow a connection and give it back, which the pool then
resets on a thread of its own. That was an eighth of a search's CPU. So a thread keeps its
connection as long as work follows work, and gives it back as soon as it has nothing to do.

Whatever may have left something in the session is undone before the next work as the pool would
undo it, by its own `reset`. Where there is none, the connection is not kept.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import local
from typing import Any

from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.pq import TransactionStatus

from bottlecrm_mcp import telemetry

# A busy thread gives it back now and then all the same, so that the pool can renew it.
MOST_SECONDS = 1.0


class _Kept(local):
    """What a thread knows of its connection: which it is, since when, and whether it was used."""

    raw: Any = None
    since = 0.0
    is_used = True


_kept = _Kept()


@contextmanager
def connection_for_work() -> Iterator[None]:
    """Let a pool thread work with the database, and keep its connection for the next work."""
    database = connections[connection.alias]
    is_nested = database.in_atomic_block
    if database.connection is not None and not is_nested:
        _make_fit(database)
    _kept.is_used = False
    try:
        with database.execute_wrapper(_note_use):
            yield
    finally:
        for each in connections.all(initialized_only=True):
            if each.in_atomic_block:
                if not is_nested:
                    _drop(each)
            elif not (each is database and _can_be_kept(each)):
                each.close()


def _drop(database: BaseDatabaseWrapper) -> None:
    """Have the thread open another: in an atomic block that nobody left it can't be closed."""
    if database.connection is not None:
        database.connection.close()
    database.close()
    del connections[database.alias]


def give_back() -> None:
    """The thread has nothing to do: others may have what it kept."""
    _kept.raw = None
    for each in connections.all(initialized_only=True):
        each.close()


def _note_use(execute: Any, *arguments: Any) -> Any:
    # The look-up of a token is not sent this way. It leaves nothing.
    _kept.is_used = True
    return telemetry.count_query(execute, *arguments)


def _make_fit(database: BaseDatabaseWrapper) -> None:
    if database.connection is not _kept.raw:
        # Somebody else has opened it.
        database.close()
    elif _kept.is_used and not _reset(database):
        database.connection.close()
        database.close()


def _reset(database: BaseDatabaseWrapper) -> bool:
    """Whether the connection is as the pool lends it."""
    reset = _reset_of(database)
    if reset is None:
        return False
    try:
        reset(database.connection)
    except Exception:
        return False
    return _is_idle(database.connection)


def _reset_of(database: BaseDatabaseWrapper) -> Callable[[Any], None] | None:
    pool = database.settings_dict["OPTIONS"].get("pool")
    return pool.get("reset") if isinstance(pool, dict) else None


def _can_be_kept(database: BaseDatabaseWrapper) -> bool:
    raw = database.connection
    if raw is None or database.errors_occurred or not _is_idle(raw):
        return False
    if _kept.is_used and _reset_of(database) is None:
        return False
    now = time.monotonic()
    if raw is not _kept.raw:
        _kept.raw, _kept.since = raw, now
    return now - _kept.since < MOST_SECONDS and not _is_wanted(database)


def _is_idle(raw: Any) -> bool:
    return bool(raw.autocommit and raw.pgconn.transaction_status == TransactionStatus.IDLE)


def _is_wanted(database: BaseDatabaseWrapper) -> bool:
    """Whether somebody waits for a connection."""
    pool: Any = getattr(database, "pool", None)
    return bool(pool and pool.get_stats()["requests_waiting"])
