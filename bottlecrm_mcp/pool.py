"""How long anybody waits for a thread, and for the work that it does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from threading import Lock
from typing import Any, TypeVar

T = TypeVar("T")

InPool = Callable[[Callable[[], Any]], Awaitable[Any]]


class Busy(Exception):
    """No thread was free in time: the work was not started, and won't be."""


class Overdue(Exception):
    """The work goes on, but nobody waits for it any more."""


async def in_time(in_pool: InPool, work: Callable[[], T], seconds: float) -> T:
    """What the work returns, if it does so in time. Raises `Busy` or `Overdue`."""
    # Whoever has it first: the thread that begins, or the clock.
    turn = Lock()

    def begin() -> T:
        if not turn.acquire(blocking=False):
            raise Busy
        return work()

    try:
        async with asyncio.timeout(seconds) as limit:
            result: T = await in_pool(begin)
            return result
    except TimeoutError:
        if not limit.expired():
            raise
        raise (Busy if turn.acquire(blocking=False) else Overdue) from None
