"""The threads that work with the database, and how long anybody waits for them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from threading import Lock
from typing import TypeVar

from asgiref.sync import sync_to_async
from django.db import connection

from bottlecrm_mcp import calls
from bottlecrm_mcp.conf import mcp_settings
from bottlecrm_mcp.gateway.in_process import database_call

BUSY = "All threads of this server are busy; try again in a moment."

T = TypeVar("T")


class Busy(Exception):
    """No thread was free in time: the work was not started, and won't be."""


class Overdue(Exception):
    """The work goes on, but nobody waits for it any more."""


@cache
def threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(mcp_settings().THREADS, thread_name_prefix="bottlecrm-mcp")


async def in_pool(work: Callable[[], T]) -> T:
    """Run database work on a pool thread. Never on the loop's or Django's own thread."""
    run: Callable[[], Awaitable[T]] = sync_to_async(
        partial(framed, work), thread_sensitive=False, executor=threads()
    )
    return await run()


def framed(work: Callable[[], T]) -> T:
    """Do database work as a pool thread does it."""
    with database_call(), connection.execute_wrapper(calls.count_query):
        return work()


async def in_time(work: Callable[[], T], seconds: float) -> T:
    """What the work returns on a pool thread, if in time. Raises `Busy` or `Overdue`."""
    # Whoever has it first: the thread that begins, or the clock.
    turn = Lock()

    def begin() -> T:
        if not turn.acquire(blocking=False):
            raise Busy
        return work()

    try:
        async with asyncio.timeout(seconds) as limit:
            return await in_pool(begin)
    except TimeoutError:
        if not limit.expired():
            raise
        raise (Busy if turn.acquire(blocking=False) else Overdue) from None
