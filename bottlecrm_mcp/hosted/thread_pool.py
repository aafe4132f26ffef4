"""Thread pool for work with the database: how long anybody waits for it, and how it ends."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import copy_context
from functools import cache, partial
from threading import Lock, Thread, local
from typing import Any, Generic, TypeVar

import psycopg
from django.core.cache import DEFAULT_CACHE_ALIAS, caches
from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.pq import TransactionStatus

from bottlecrm_mcp.conf import mcp_settings
from bottlecrm_mcp.gateway.in_process.deadline import Deadline
from bottlecrm_mcp.hosted import turns
from bottlecrm_mcp.hosted.kept_connection import connection_for_work, give_back
from bottlecrm_mcp.hosted.workers import Workers

BUSY = "All threads of this server are busy; try again in a moment."
# How often it is looked for work whose time is over, and how long a cancellation may take.
TICK_SECONDS = 0.5
CANCEL_SECONDS = 2
# Most statements are ended by PostgreSQL at the deadline, and their connections stay in use.
LATE_SECONDS = 1
# How long a thread without work keeps its database connection.
IDLE_SECONDS = 0.05

logger = logging.getLogger("bottlecrm_mcp")

T = TypeVar("T")


class Busy(Exception):
    """No thread was free in time: the work was not started, and won't be."""


class Overdue(Exception):
    """The work goes on until its statement is cancelled, but nobody waits for it any more."""


@cache
def workers() -> Workers:
    Thread(target=_watch, name="bottlecrm-mcp-watch", daemon=True).start()
    return Workers(mcp_settings().THREADS, "bottlecrm-mcp", give_back, IDLE_SECONDS)


async def in_pool(work: Callable[[], T]) -> T:
    """Run database work on a pool thread. Never on the loop's or Django's own thread."""
    job: _Job[T] = _Job(work)
    async with turns.taken():
        workers().submit(job.run)
        return await job.future


def submit(work: Callable[[], object]) -> None:
    """Have database work done on a pool thread, without waiting for it."""

    def run() -> Callable[[], object]:
        try:
            framed(work)
        except Exception:
            logger.exception("Work that nobody waits for has failed")
        return _nobody

    workers().submit(run)


def _nobody() -> None:
    """Tells nobody that work is done."""


class _Job(Generic[T]):
    """Work on a thread, and the future of its result on the event loop."""

    def __init__(self, work: Callable[[], T]) -> None:
        self._loop = asyncio.get_running_loop()
        self.future: asyncio.Future[T] = self._loop.create_future()
        # Not asgiref's `sync_to_async`: what the CRM's middleware sets in the context, such as a
        # language or a time zone, ends with the work.
        context = copy_context()
        self._work: Callable[[], T] = partial(context.run, framed, work)

    def run(self) -> Callable[[], object]:
        if self.future.cancelled():
            return _nobody
        try:
            settle = partial(self.future.set_result, self._work())
        except BaseException as problem:
            settle = partial(self.future.set_exception, problem)
        return partial(self._tell, settle)

    def _tell(self, settle: Callable[[], None]) -> None:
        # The loop may have ended meanwhile.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._settle, settle)

    def _settle(self, settle: Callable[[], None]) -> None:
        if not self.future.done():
            settle()


def framed(work: Callable[[], T]) -> T:
    """Do database work as a pool thread does it."""
    _use_own_cache()
    with connection_for_work():
        return work()


_own = local()


def _use_own_cache() -> None:
    """Keep this thread's connection to the cache: Django makes one for each context."""
    if getattr(_own, "settings", None) is not caches.settings:
        _own.settings = caches.settings
        _own.cache = caches.create_connection(DEFAULT_CACHE_ALIAS)
    caches[DEFAULT_CACHE_ALIAS] = _own.cache


async def in_pool_within(work: Callable[[], T], deadline: Deadline, grace: float = 0) -> T:
    """What the work returns on a pool thread, if in time. Raises `Busy` or `Overdue`.

    Soon after the deadline what it waits for in the database is cancelled, whether anybody still
    waits for it or not; `grace` is how many seconds longer to wait for what it makes of that.
    """
    # Whoever has it first: the thread that begins, or who gives it up.
    turn = Lock()

    def begin() -> T:
        if not turn.acquire(blocking=False):
            raise Busy
        with _cancelled_at(deadline):
            return work()

    try:
        async with asyncio.timeout(deadline.seconds_left + grace) as limit:
            return await in_pool(begin)
    except TimeoutError:
        if not limit.expired():
            raise
        raise (Busy if turn.acquire(blocking=False) else Overdue) from None
    except asyncio.CancelledError:
        # The client has left: what has not begun does not begin, nor the next of several records.
        turn.acquire(blocking=False)
        deadline.is_given_up = True
        raise


class _Running:
    """Work on a thread, with that thread's database connection."""

    def __init__(self, deadline: Deadline, database: BaseDatabaseWrapper) -> None:
        self.deadline = deadline
        self.database = database
        self.cancelled = False
        self._is_over = False
        self._lock = Lock()

    def cancel_if_late(self) -> None:
        """On another thread. The connection is still this work's own while it happens."""
        with self._lock:
            raw = self.database.connection
            is_late = self.deadline.seconds_left < -LATE_SECONDS
            if self._is_over or not is_late or not _is_in_statement(raw):
                return
            self.cancelled = True
            try:
                raw.cancel_safe(timeout=CANCEL_SECONDS)
            except psycopg.Error as problem:
                logger.warning("A statement could not be cancelled: %s", type(problem).__name__)

    def end(self) -> None:
        with self._lock:
            self._is_over = True


def _is_in_statement(raw: psycopg.Connection[Any] | None) -> bool:
    return raw is not None and raw.pgconn.transaction_status == TransactionStatus.ACTIVE


_running: set[_Running] = set()


@contextmanager
def _cancelled_at(deadline: Deadline) -> Iterator[None]:
    """Statements of this thread that run when the time is over are cancelled."""
    # Not the proxy, which leads every thread to its own connection.
    database = connections[connection.alias]
    running = _Running(deadline, database)
    _running.add(running)
    try:
        yield
    finally:
        running.end()
        _running.discard(running)
        if running.cancelled and not database.in_atomic_block and database.connection:
            # Through a pooler the cancellation may come late, and would meet the next statement.
            database.connection.close()
            database.close()


def _watch() -> None:
    while True:
        time.sleep(TICK_SECONDS)
        for each in tuple(_running):
            each.cancel_if_late()
