"""Says what the doctor is going to do, and how far it is."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from bottlecrm_mcp.doctor.acceptance.runner import Trial
from bottlecrm_mcp.doctor.locks import MOST_SECONDS
from bottlecrm_mcp.gateway.base import Caller

Tell = Callable[[str], None]
SECONDS_BETWEEN_LINES = 5.0
READS = ", all of which read."
WRITES = (
    f" Each is a transaction of its own that is rolled back at once, and ended after "
    f"{MOST_SECONDS:g} s if others could wait for it. Nothing is kept and nobody is mailed."
)


def silence(line: str) -> None:
    """Tells nobody."""


class Progress:
    """Lines about a plan: what is done of it, and about how long the rest takes.

    Trials that make records take longer than those that only read, so that each sort is counted by
    itself.
    """

    def __init__(self, trials: Sequence[Trial], tell: Tell) -> None:
        self.tell = tell
        self.total = len(trials)
        self._left = Counter(trial.makes for trial in trials)
        self._done: Counter[bool] = Counter()
        self._seconds = {True: 0.0, False: 0.0}
        self._told = time.monotonic()

    def begin(self, caller: Caller) -> None:
        reads, writes = self._left[False], self._left[True]
        who = f"{caller.email} ({caller.role})"
        what = f": {reads:,} that read and {writes:,} that write.{WRITES}" if writes else READS
        self.tell(f"Trying {self.total:,} things as {who}{what}")

    def run(self, trials: Iterable[Trial], work: Callable[[Trial], None]) -> None:
        for trial in trials:
            started = time.monotonic()
            work(trial)
            self._note(trial, time.monotonic() - started)

    def _note(self, trial: Trial, seconds: float) -> None:
        self._left[trial.makes] -= 1
        self._done[trial.makes] += 1
        self._seconds[trial.makes] += seconds
        now = time.monotonic()
        if now - self._told >= SECONDS_BETWEEN_LINES:
            self._told = now
            done = sum(self._done.values())
            self.tell(f"{done:,} of {self.total:,} ({trial.entity}){self._estimate()}")

    def _estimate(self) -> str:
        """Nothing as long as some sort of trial was never seen."""
        left = [sort for sort, number in self._left.items() if number]
        if not left or any(not self._done[sort] for sort in left):
            return ""
        seconds = sum(self._left[sort] * self._seconds[sort] / self._done[sort] for sort in left)
        return f", {about(seconds)} left"


def about(seconds: float) -> str:
    """A length of time as people say it."""
    if seconds < 90:
        return f"about {max(round(seconds, -1), 10):.0f} seconds"
    return f"about {round(seconds / 60):.0f} minutes"
