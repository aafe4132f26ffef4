"""A transaction that others wait for is ended after two seconds.

What is tried holds the locks of a write until it is rolled back, and BottleCRM's unique invoice
number with them: whoever creates an invoice in the web application waits for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Timer
from typing import Any

import psycopg
from django.db import Error as DatabaseError
from django.db import OperationalError, connection

MOST_SECONDS = 2.0
# How long a lock of somebody else is waited for, and how long the session may stand still: the
# latter for a process that is suspended in the middle.
LIMITS = """
SELECT set_config('lock_timeout', '1s', true),
    set_config('idle_in_transaction_session_timeout', '2s', true)
"""
# Statements that take no lock for which a writer waits.
HARMLESS = re.compile(r"\s*(SELECT|WITH|SET|SHOW|SAVEPOINT|RELEASE|ROLLBACK)\b", re.IGNORECASE)
LOCKING = re.compile(
    r"\bFOR\s+(NO\s+KEY\s+)?UPDATE\b|\bFOR\s+(KEY\s+)?SHARE\b|\b(INSERT|UPDATE|DELETE)\b|advisory",
    re.IGNORECASE,
)
# What another write causes: serialization failure, deadlock, unique violation, lock timeout.
CONTENTION = ("40001", "40P01", "23505", "55P03")


class Locks:
    """The locks of one transaction: whether they were held too long, and whether others had them.

    `is_over` says that the transaction was ended; every statement after that is refused.
    """

    def __init__(self) -> None:
        self.is_over = False
        self.is_contended = False
        self._timer: Timer | None = None

    def execute(self, execute: Callable[..., Any], sql: Any, *arguments: Any) -> Any:
        """Run a statement, as Django's `execute_wrapper` wants it."""
        if self._timer is None and takes_locks(str(sql)):
            self._timer = self._started(connection.connection)
        if self.is_over:
            raise OperationalError("The locks of this transaction were held too long.")
        try:
            return execute(sql, *arguments)
        except DatabaseError as problem:
            self.is_contended |= getattr(problem.__cause__, "sqlstate", None) in CONTENTION
            raise

    def _started(self, session: Any) -> Timer:
        timer = Timer(MOST_SECONDS, self._end, [session])
        timer.daemon = True
        timer.start()
        return timer

    def _end(self, session: Any) -> None:
        """From the timer's thread: the other one may be in the middle of anything."""
        self.is_over = True
        with suppress(psycopg.Error):
            session.cancel_safe()
            session.rollback()

    def close(self) -> None:
        """No timer outlives its transaction, nor a session that it cancelled."""
        if self._timer is None:
            return
        self._timer.cancel()
        self._timer.join()
        if self.is_over:
            connection.close()


def takes_locks(sql: str) -> bool:
    """Whether the statement may lock rows or tables against others."""
    return not HARMLESS.match(sql) or bool(LOCKING.search(sql))


@contextmanager
def short_locks() -> Iterator[Locks]:
    """Within an outermost transaction: end it before others wait too long."""
    locks = Locks()
    with connection.cursor() as cursor:
        cursor.execute(LIMITS)
    try:
        with connection.execute_wrapper(locks.execute):
            yield locks
    finally:
        locks.close()
