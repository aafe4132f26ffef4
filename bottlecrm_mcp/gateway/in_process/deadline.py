"""Deadline of a call: what is left of its time bounds the statements of each request.

PostgreSQL itself ends a statement, also one that waits for a lock. The setting is local to the
transaction of a view, or ends with the session of a call, so it never reaches the next borrower of
a pooled connection.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from django.db import Error as DatabaseError
from django.db import OperationalError, connection, transaction
from psycopg.errors import QueryCanceled
from psycopg.pq import TransactionStatus

from bottlecrm_mcp.gateway.in_process.hooks.queryset_capture import ORG_VARIABLE
from bottlecrm_mcp.gateway.in_process.org_context import OrgContext

logger = logging.getLogger("bottlecrm_mcp")

# How much later than the call a statement may end, in seconds.
SLACK = 1
# A stricter limit of the host's own stays; its interval is "30s" or "0" for none.
ALLOW = """
SELECT current_setting('statement_timeout'), set_config('statement_timeout', LEAST(
    NULLIF(EXTRACT(epoch FROM current_setting('statement_timeout')::interval) * 1000, 0), %s
)::int::text, %s)
"""
SET_BACK = "SELECT set_config('statement_timeout', %s, true)"
CLEAR = "SELECT set_config(%s, '', false)"
CLEAR_TIMEOUT = "set_config('statement_timeout', %s, false)"


class Deadline:
    """When a call has to be over; the thread that works for it and who waits for it share it."""

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds
        # Nobody waits for the answer any more: what runs ends, the next of several is not begun.
        self.is_given_up = False

    @property
    def seconds_left(self) -> float:
        """Negative once the time is over."""
        return self._until - time.monotonic()

    def extend(self, seconds: float) -> None:
        """Leave at least so much time from now on."""
        self._until = max(self._until, time.monotonic() + seconds)


class TimeLimit:
    """Statements that end in time; `timed_out` tells whether one had to."""

    is_local: ClassVar[bool]

    def __init__(self, deadline: Deadline) -> None:
        self.deadline = deadline
        self.timed_out = False
        self._allowed = 0.0

    def _allow(self, seconds: float) -> str:
        self._allowed = seconds
        with connection.cursor() as cursor:
            cursor.execute(ALLOW, [max(1, int(seconds * 1000)), self.is_local])
            before: str = cursor.fetchone()[0]
        return before

    def _execute(self, execute: Callable[..., Any], *arguments: Any) -> Any:
        left = self.deadline.seconds_left
        if left <= 0:
            self.timed_out = True
            raise OperationalError("The time for this call is over.")
        if left < self._allowed - SLACK:
            self._allow(left)
        try:
            return execute(*arguments)
        except OperationalError as problem:
            self.timed_out |= isinstance(problem.__cause__, QueryCanceled)
            raise


class Transaction(TimeLimit):
    """One transaction whose statements end in time, by the limit of a session if it has one."""

    is_local = True

    def __init__(self, deadline: Deadline, session: Session | None = None) -> None:
        super().__init__(deadline)
        self._session = session

    @contextmanager
    def open(self) -> Iterator[None]:
        is_outermost = not connection.in_atomic_block
        if self._session is not None and self._session.is_limiting:
            self._allowed = self._session.allowed
            with transaction.atomic(), connection.execute_wrapper(self._execute):
                yield
            return
        with transaction.atomic():
            before = self._allow(self.deadline.seconds_left)
            with connection.execute_wrapper(self._execute):
                yield
            # The setting lives as long as the transaction, which may not end here.
            if not (is_outermost or is_poisoned()):
                with connection.cursor() as cursor:
                    cursor.execute(SET_BACK, [before])


class Session(TimeLimit):
    """The requests of one call: what they read is limited by one setting, in no transaction."""

    is_local = False

    def __init__(self, deadline: Deadline) -> None:
        super().__init__(deadline)
        self._org = OrgContext()
        self._before: str | None = None
        self._limited: Any = None

    @property
    def is_limiting(self) -> bool:
        """Whether the connection that is in use has the limit."""
        return self._limited is not None and self._limited is connection.connection

    @property
    def allowed(self) -> float:
        """Seconds that the connection lets a statement run."""
        return self._allowed

    @contextmanager
    def open(self) -> Iterator[None]:
        """Leaves the connection without time limit and organisation, or closed."""
        try:
            with self._org.open():
                yield
        finally:
            if self._org.is_used:
                clear_connection(self._before)

    def note_request(self) -> None:
        """Have the connection cleared at the end, whatever the request does with it."""
        self._org.is_used = True

    @contextmanager
    def limited(self) -> Iterator[None]:
        self.timed_out = False
        # Of a connection that broke, another one may have taken the place.
        if not self.is_limiting:
            self._before = self._allow(self.deadline.seconds_left)
            self._limited = connection.connection
        with connection.execute_wrapper(self._execute):
            yield


def clear_connection(statement_timeout: str | None = None) -> None:
    """Make sure that no organisation stays behind on the connection, or drop the connection."""
    if connection.connection is None:
        return
    clear, values = CLEAR, [ORG_VARIABLE]
    if statement_timeout is not None:
        clear, values = f"{CLEAR}, {CLEAR_TIMEOUT}", [ORG_VARIABLE, statement_timeout]
    try:
        with connection.cursor() as cursor:
            cursor.execute(clear, values)
    except DatabaseError:
        if connection.in_atomic_block:
            raise
        logger.warning("A database connection could not be cleared and is closed")
        connection.connection.close()
        connection.close()


def is_poisoned() -> bool:
    """Whether PostgreSQL will roll the transaction back, or Django was told to."""
    if connection.needs_rollback:
        return True
    status = connection.connection.info.transaction_status
    return bool(status is TransactionStatus.INERROR)


def was_undone(problem: Exception) -> bool:
    """Whether a commit that failed like this left nothing: the database itself refused it.

    A connection that breaks, or a server that stops, does not say what became of the commit.
    """
    state: str = getattr(problem.__cause__, "sqlstate", None) or ""
    return bool(state) and not state.startswith(("08", "57P", "XX"))
