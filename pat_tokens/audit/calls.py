"""Writer of the call log: rows wait in a queue, and a thread of its own stores them in batches.

A call never waits for it and never fails by it. What finds the queue full is counted, and so is a
row that the database refuses: the count becomes a row of its own.
"""

import atexit
import logging
import os
from collections import Counter, defaultdict, deque
from collections.abc import Sequence
from threading import Event, Lock, Thread
from typing import Any

from django.db import InterfaceError, OperationalError, ProgrammingError, close_old_connections

from pat_tokens.models import Call, CallRecord
from pat_tokens.rls import in_organisation

logger = logging.getLogger("pat_tokens")

# How long a row waits for others, in seconds: what a process that is killed can lose.
EVERY = 1.0
# Rows: beyond, the newest are lost. Some 10 MB.
MOST_WAITING = 10_000
BATCH = 1_000
# How long the end of the process may wait for the last rows.
FLUSH_SECONDS = 5.0
# No connection, no time, no room, a table that is yet to be migrated: any row would fail like this.
NOT_NOW = (OperationalError, InterfaceError, ProgrammingError)


class CallLog:
    """The queue of this process, and the thread that empties it."""

    def __init__(self) -> None:
        self._waiting: deque[Call] = deque()
        self._lost: Counter[Any] = Counter()
        self._is_failing = False
        self._size = BATCH
        self._lock = Lock()
        self._filled, self._in_a_hurry, self._emptied = Event(), Event(), Event()
        self._thread: Thread | None = None

    def add(self, call: Call) -> None:
        """Let the call be stored within about a second, with its `record_ids`."""
        if len(self._waiting) >= MOST_WAITING:
            self._lost[call.org_id] += 1
        else:
            self._waiting.append(call)
        self._wake()

    def count_lost(self, org_id: Any) -> None:
        """Let it be stored that a call of this organisation could not be."""
        self._lost[org_id] += 1
        self._wake()

    def flush(self, seconds: float = FLUSH_SECONDS) -> bool:
        """Store what waits now; whether that was done in time."""
        if self._thread is None:
            return self._store_waiting()
        if self._emptied.is_set():
            return True
        self._in_a_hurry.set()
        return self._emptied.wait(seconds)

    def _wake(self) -> None:
        if not self._filled.is_set():
            self._emptied.clear()
            self._filled.set()
            self._start()

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                # As a daemon, for a database that hangs must not keep the process from ending.
                self._thread = Thread(target=self._run, name="pat-tokens-calls", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            self._filled.wait()
            self._in_a_hurry.wait(EVERY)
            self._in_a_hurry.clear()
            self._filled.clear()
            close_old_connections()
            is_done = self._store_waiting()
            close_old_connections()
            if not is_done:
                # Again in a while: the database does not answer.
                self._filled.set()
            elif not self._filled.is_set():
                self._emptied.set()

    def _store_waiting(self) -> bool:
        while self._waiting or self._lost:
            if not self._store_batch():
                return False
        self._is_failing, self._size = False, BATCH
        return True

    def _store_batch(self) -> bool:
        """Whether the database took it, but for single rows, which are counted."""
        parts = self._next_batch()
        while parts:
            calls = parts.pop()
            try:
                _store(calls[0].org_id, calls)
            except NOT_NOW as problem:
                self._put_back([*parts, calls], problem)
                return False
            except Exception:
                if len(calls) == 1:
                    self._give_up(calls[0])
                else:
                    half = len(calls) // 2
                    parts += [calls[half:], calls[:half]]
        return True

    def _next_batch(self) -> list[list[Call]]:
        """The rows of each organisation, with one for those of its calls that were lost."""
        by_org: dict[Any, list[Call]] = defaultdict(list)
        for org_id in tuple(self._lost):
            lost = self._lost.pop(org_id)
            logger.warning("%d calls of organisation %s were not logged", lost, org_id)
            by_org[org_id].append(Call(org_id=org_id, outcome=Call.Outcome.LOST, records=lost))
        for _ in range(min(self._size, len(self._waiting))):
            call = self._waiting.popleft()
            by_org[call.org_id].append(call)
        return list(by_org.values())

    def _put_back(self, parts: list[list[Call]], problem: Exception) -> None:
        if not self._is_failing:
            logger.warning("The call log waits for the database: %s", type(problem).__name__)
        # Fewer at once may be stored in the time that a statement has.
        self._is_failing, self._size = True, max(1, self._size // 2)
        for call in reversed([call for calls in parts for call in calls]):
            if call.outcome == Call.Outcome.LOST:
                self._lost[call.org_id] += call.records
            else:
                self._waiting.appendleft(call)

    def _give_up(self, call: Call) -> None:
        logger.exception("A call of organisation %s could not be logged", call.org_id)
        if call.outcome != Call.Outcome.LOST:
            self._lost[call.org_id] += 1


def _store(org_id: Any, calls: Sequence[Call]) -> None:
    for call in calls:
        # Of a try before this one.
        call.pk = None
    with in_organisation(org_id):
        Call.objects.bulk_create(calls)
        CallRecord.objects.bulk_create(
            CallRecord(
                call_id=call.pk, created_at=call.created_at, org_id=org_id, record_id=record_id
            )
            for call in calls
            for record_id in call.record_ids
        )


call_log = CallLog()
atexit.register(lambda: call_log.flush())


def _after_fork() -> None:
    # What waits is stored by the process that it waits in; its thread is not in this one.
    call_log.__init__()  # type: ignore[misc]


os.register_at_fork(after_in_child=_after_fork)
