"""Rollback of whatever the doctor tries."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from django.db import connection, transaction
from django.test.utils import override_settings

from bottlecrm_mcp.doctor.locks import Locks, short_locks
from bottlecrm_mcp.doctor.person import Person


@contextmanager
def never_committed(who: Person | None = None) -> Iterator[Locks]:
    """One transaction that is rolled back, in which this person is signed in.

    Hooks on commit never run; what mails without one is given a mail backend that sends nothing.
    Locks of writes end the transaction after `locks.MOST_SECONDS`, unless it is within another one.
    """
    silent = override_settings(EMAIL_BACKEND="django.core.mail.backends.dummy.EmailBackend")
    is_outermost = not connection.in_atomic_block
    with silent, transaction.atomic():
        try:
            if is_outermost:
                _see_one_state()
            if who is not None:
                who.sign_in()
            with short_locks() if is_outermost else nullcontext(Locks()) as locks:
                yield locks
        finally:
            transaction.set_rollback(True)


def _see_one_state() -> None:
    """What others write meanwhile must not look like something that a tool did."""
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
