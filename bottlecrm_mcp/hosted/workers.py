"""Threads of a pool, the one that was busy last taking the next work.

`ThreadPoolExecutor` takes whichever comes, and does not tell a thread that there is nothing to do.
"""

from __future__ import annotations

import atexit
import logging
from collections import deque
from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Lock, Thread

logger = logging.getLogger("bottlecrm_mcp")

# What it returns is called as soon as the thread is free, to tell who waits for the work: that one
# may have more, and finds this thread, and what it keeps.
Tell = Callable[[], object]
Work = Callable[[], Tell]


class Workers:
    """At most so many threads. One that has had no work for `patience` seconds calls `rest`."""

    def __init__(self, most: int, name: str, rest: Callable[[], object], patience: float) -> None:
        self._most = most
        self._name = name
        self._rest = rest
        self._patience = patience
        self._lock = Lock()
        self._inboxes: list[SimpleQueue[Work | None]] = []
        self._idle: list[SimpleQueue[Work | None]] = []
        self._waiting: deque[Work] = deque()
        atexit.register(self.finish)
        self._threads: list[Thread] = []

    def submit(self, work: Work) -> None:
        """Do the work, which does not raise, on a thread as soon as one is free."""
        with self._lock:
            if not self._idle and len(self._threads) == self._most:
                self._waiting.append(work)
                return
            inbox = self._idle.pop() if self._idle else self._hired()
        inbox.put(work)

    def _hired(self) -> SimpleQueue[Work | None]:
        inbox: SimpleQueue[Work | None] = SimpleQueue()
        name = f"{self._name}_{len(self._threads)}"
        thread = Thread(target=self._serve, args=(inbox,), name=name, daemon=True)
        self._threads.append(thread)
        self._inboxes.append(inbox)
        thread.start()
        return inbox

    def _serve(self, inbox: SimpleQueue[Work | None]) -> None:
        while (work := self._next(inbox)) is not None:
            while work is not None:
                tell = work()
                work = self._next_waiting(inbox)
                tell()
        self._try_to_rest()

    def _next(self, inbox: SimpleQueue[Work | None]) -> Work | None:
        try:
            return inbox.get(timeout=self._patience)
        except Empty:
            self._try_to_rest()
        return inbox.get()

    def _try_to_rest(self) -> None:
        # A thread that ended here would still be given work, which nobody would do.
        try:
            self._rest()
        except Exception:
            logger.exception("A thread without work could not give back what it kept")

    def _next_waiting(self, inbox: SimpleQueue[Work | None]) -> Work | None:
        with self._lock:
            if self._waiting:
                return self._waiting.popleft()
            self._idle.append(inbox)
        return None

    def finish(self) -> None:
        """At the end of the process: what has begun, and what waits, is done first."""
        for inbox in self._inboxes:
            inbox.put(None)
        for thread in self._threads:
            thread.join()
