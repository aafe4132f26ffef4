"""Turns: how much work goes to the pool's threads at once, so that the event loop keeps up.

Python runs one thread at a time, and the loop is one of them: beside eight that are all busy it
gets a ninth of the time, less than what it has to do for their calls, and all that it has to answer
piles up, the health check too. Work that takes long mostly waits for the database, which is no
burden to the loop, so it does not keep its turn.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from weakref import WeakKeyDictionary

# Two can keep Python busy while one waits for the database.
TURNS = 3
QUICK_SECONDS = 0.1

_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()


@asynccontextmanager
async def taken() -> AsyncIterator[None]:
    """One of a few turns, first come, first served; it ends with the block, or sooner."""
    loop = asyncio.get_running_loop()
    turns = _turns.setdefault(loop, asyncio.Semaphore(TURNS))
    await turns.acquire()
    with ExitStack() as end:
        end.callback(turns.release)
        timer = loop.call_later(QUICK_SECONDS, end.close)
        end.callback(timer.cancel)
        yield
