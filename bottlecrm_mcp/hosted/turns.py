"""Turns: how much work goes to the pool's threads at once, so that the event loop keeps up.

Python runs one thread at a time, and the loop is one of them: beside eight that are all busy it
gets a ninth of the time, less than what it has to do for their calls, and all that it has to answer
piles up, the health check too. Work that takes long mostly waits for the database, which is no
burden to the loop, so it does not keep its turn.
"""

from __future__ import annotations

import asyncio
from weakref import WeakKeyDictionary

# Two can keep Python busy while one waits for the database.
TURNS = 3
QUICK_SECONDS = 0.1


class _Turns:
    """Those of one event loop: who has one, and how many wait for one."""

    def __init__(self) -> None:
        self.free = asyncio.Semaphore(TURNS)
        self.taken: set[_Turn] = set()
        self.waiting = 0


_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, _Turns] = WeakKeyDictionary()


class _Turn:
    """One turn, as an asynchronous context manager; it ends with the block, or sooner."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._turns = _turns.get(self._loop) or _turns.setdefault(self._loop, _Turns())
        self._timer: asyncio.TimerHandle | None = None
        self._began = 0.0

    async def __aenter__(self) -> None:
        turns = self._turns
        if turns.free.locked():
            for each in turns.taken:
                each.end_in_time()
        turns.waiting += 1
        try:
            await turns.free.acquire()
        finally:
            turns.waiting -= 1
        self._began = self._loop.time()
        turns.taken.add(self)
        if turns.waiting:
            self.end_in_time()

    async def __aexit__(self, *problem: object) -> None:
        self._end()

    def end_in_time(self) -> None:
        """Somebody waits, so it ends once it was taken for long enough."""
        if self._timer is None:
            self._timer = self._loop.call_at(self._began + QUICK_SECONDS, self._end)

    def _end(self) -> None:
        if self in self._turns.taken:
            self._turns.taken.discard(self)
            self._turns.free.release()
        if self._timer is not None:
            self._timer.cancel()


def taken() -> _Turn:
    """One of a few turns, first come, first served."""
    return _Turn()
