"""Rate limits: a person's calls in a minute and at once, by whichever of their tokens.

They are counted in Django's cache.

A cache that fails must not stop the CRM: then nothing is limited, and the log says so.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections.abc import Mapping
from contextlib import suppress
from threading import Lock

from django.conf import settings
from django.core.cache import DEFAULT_CACHE_ALIAS, cache

from bottlecrm_mcp import telemetry
from bottlecrm_mcp.conf import mcp_settings
from bottlecrm_mcp.gateway.in_process.deadline import Deadline
from bottlecrm_mcp.hosted import thread_pool

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
    """A person has used up what they may do for now; `seconds` is how long to wait."""

    def __init__(self, message: str, seconds: int) -> None:
        super().__init__(f"{message} Wait {seconds} second{'s' * (seconds != 1)}.")
        self.seconds = seconds


class Slot:
    """Leave to have one call of a person running, by whichever of their tokens and connections.

    A request takes it and leaves it. The thread that works for the request holds it until that
    thread is free, also when the client has hung up or nobody waits any longer.
    """

    def __init__(self) -> None:
        self.user_id = self._key = ""
        self._is_held = self._is_left = False
        self._lock = Lock()

    def take(self, user_id: str) -> bool:
        """Whether fewer than `CONCURRENT_CALLS` of this person are running. Asks the cache."""
        key = _free_key(user_id)
        if key is None:
            return False
        with self._lock:
            self.user_id = user_id
            # Of a request that is over nobody would release it.
            self._key, unwanted = ("", key) if self._is_left else (key, "")
        _give_back(unwanted)
        return True

    def hold(self) -> bool:
        """For the thread that begins with the work. False if the request is over."""
        with self._lock:
            if self._is_left:
                return False
            self._is_held = True
        _held.add(self)
        return True

    def release(self) -> None:
        """For the thread that is done."""
        with self._lock:
            key, self._key = self._key, ""
        _held.discard(self)
        _give_back(key)

    def leave(self) -> bool:
        """For the request that is over. True if it is left to whoever asks to release this."""
        with self._lock:
            self._is_left = True
            return bool(self._key) and not self._is_held


# In this process. The cache forgets those that take too long.
_held: set[Slot] = set()


# The tokens whose owners have used up this minute, as far as this process knows, by digest of the
# secret: nobody else has that, so nobody else can use up another's calls.
_used_up: dict[bytes, tuple[int, Mapping[str, str]]] = {}


def require_calls_left(secret: str) -> None:
    """Raises `TooManyCalls` where this is known without looking for the token."""
    minute, facts = _used_up.get(_digest(secret), (0, {}))
    if minute == int(time.time()) // MINUTE and mcp_settings().CALLS_PER_MINUTE:
        telemetry.annotate(**facts)
        raise _too_many_calls()


def count_call(secret: str, user_id: str, facts: Mapping[str, str]) -> None:
    """Count a call of this person. Raises `TooManyCalls` beyond `CALLS_PER_MINUTE`.

    Until the minute is over, `require_calls_left` tells the same of this token, with these facts.
    """
    most = mcp_settings().CALLS_PER_MINUTE
    if not most:
        return
    minute = int(time.time()) // MINUTE
    if _counted(f"bottlecrm_mcp:calls:{user_id}:{minute}") > most:
        for digest, (earlier, _) in list(_used_up.items()):
            if earlier != minute:
                _used_up.pop(digest, None)
        _used_up[_digest(secret)] = minute, facts
        raise _too_many_calls()


def _too_many_calls() -> TooManyCalls:
    most = mcp_settings().CALLS_PER_MINUTE
    seconds = MINUTE - int(time.time()) % MINUTE
    return TooManyCalls(
        f"Too many calls: you may make {most} in a minute, over all of your tokens.", seconds
    )


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _counted(key: str) -> int:
    try:
        with suppress(ValueError):
            return cache.incr(key)
        # The first in this minute, unless another came first.
        return 1 if cache.add(key, 1, 2 * MINUTE) else cache.incr(key)
    except ValueError:
        # It is gone again: a cache that keeps nothing, or is short of room.
        return 0
    except Exception as problem:
        _report(problem)
        return 0


def _free_key(user_id: str) -> str | None:
    """A key that is now this call's own, "" where nothing is limited, or None if none is free."""
    most = mcp_settings().CONCURRENT_CALLS
    if not most:
        return ""
    if sum(each.user_id == user_id for each in tuple(_held)) >= most:
        return None
    keys = (f"bottlecrm_mcp:slot:{user_id}:{number}" for number in range(most))
    try:
        return next((key for key in keys if cache.add(key, 1, SLOT_SECONDS)), None)
    except Exception as problem:
        _report(problem)
        return ""


def _give_back(key: str) -> None:
    if key:
        with suppress(Exception):
            cache.delete(key)


async def wait_for(slot: Slot, user_id: str, deadline: Deadline) -> None:
    """Take the slot as soon as one is free. Raises `TooManyCalls` if that takes too long, and what
    `pool.in_time` raises."""
    until = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < until:
        await asyncio.sleep(POLL_SECONDS)
        if await thread_pool.in_pool_within(lambda: slot.take(user_id), deadline):
            return
    most = mcp_settings().CONCURRENT_CALLS
    raise TooManyCalls(
        f"Too many calls at once: you may have {most} running, over all of your tokens.", 1
    )


def leave(slot: Slot) -> None:
    """End a request, as far as it was not handed to a thread. Waits for nothing."""
    if slot.leave():
        thread_pool.submit(slot.release)


def is_per_process() -> bool:
    """Whether each process counts for itself, so that the limits grow with their number."""
    backend: str = settings.CACHES[DEFAULT_CACHE_ALIAS]["BACKEND"]
    return backend.endswith(LOCAL_BACKENDS)


def _report(problem: Exception) -> None:
    logger.warning("Calls are not limited: the cache fails (%s)", type(problem).__name__)
