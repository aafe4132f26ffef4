"""How many calls a token may make, in a minute and at once: counted in Django's cache.

A cache that fails must not stop the CRM: then nothing is limited, and the log says so.
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress

from django.conf import settings
from django.core.cache import DEFAULT_CACHE_ALIAS, cache

from bottlecrm_mcp import pool
from bottlecrm_mcp.conf import mcp_settings

logger = logging.getLogger("bottlecrm_mcp")

MINUTE = 60
# Clients send several calls at once, and most of them are over soon.
WAIT_SECONDS = 5
POLL_SECONDS = 0.05
# A process that dies with a slot taken gives it back no later than this.
SLOT_SECONDS = 300

# Backends that count in one process only, or not at all.
LOCAL_BACKENDS = ("LocMemCache", "DummyCache")


class TooManyCalls(Exception):
    """The token has used up what it may do for now; `seconds` is how long to wait."""

    def __init__(self, message: str, seconds: int) -> None:
        super().__init__(f"{message} Wait {seconds} second{'s' * (seconds != 1)}.")
        self.seconds = seconds


class Slot:
    """Leave to have one call running. Without a key it is not limited."""

    def __init__(self, key: str = "") -> None:
        self._key = key

    @property
    def is_taken(self) -> bool:
        return bool(self._key)

    def release(self) -> None:
        key, self._key = self._key, ""
        if key:
            with suppress(Exception):
                cache.delete(key)


def count_call(token_id: str) -> None:
    """Count a call of this token. Raises `TooManyCalls` beyond `CALLS_PER_MINUTE`."""
    most = mcp_settings().CALLS_PER_MINUTE
    if not most:
        return
    minute, second = divmod(int(time.time()), MINUTE)
    if _counted(f"bottlecrm_mcp:calls:{token_id}:{minute}") > most:
        raise TooManyCalls(
            f"Too many calls: this token may make {most} in a minute.", MINUTE - second
        )


def _counted(key: str) -> int:
    try:
        cache.add(key, 0, 2 * MINUTE)
        return cache.incr(key)
    except ValueError:
        # It is gone again: a cache that keeps nothing, or is short of room.
        return 0
    except Exception as problem:
        _report(problem)
        return 0


def take_slot(token_id: str) -> Slot | None:
    """A slot for one more call of this token, or None if `CONCURRENT_CALLS` are running."""
    most = mcp_settings().CONCURRENT_CALLS
    if not most:
        return Slot()
    keys = (f"bottlecrm_mcp:slot:{token_id}:{number}" for number in range(most))
    try:
        return next((Slot(key) for key in keys if cache.add(key, 1, SLOT_SECONDS)), None)
    except Exception as problem:
        _report(problem)
        return Slot()


async def waited_slot(token_id: str) -> Slot:
    """A slot, as soon as one is free. Raises `TooManyCalls` if that takes too long."""
    until = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < until:
        await asyncio.sleep(POLL_SECONDS)
        slot: Slot | None = await pool.in_pool(lambda: take_slot(token_id))
        if slot is not None:
            return slot
    most = mcp_settings().CONCURRENT_CALLS
    raise TooManyCalls(f"Too many calls at once: this token may have {most} running.", 1)


def is_per_process() -> bool:
    """Whether each process counts for itself, so that the limits grow with their number."""
    backend: str = settings.CACHES[DEFAULT_CACHE_ALIAS]["BACKEND"]
    return backend.endswith(LOCAL_BACKENDS)


def _report(problem: Exception) -> None:
    logger.warning("Calls are not limited: the cache fails (%s)", type(problem).__name__)
