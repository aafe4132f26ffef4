"""Per-request cache: what one MCP call asks for several times is looked up once.

An MCP call authenticates at its endpoint and again in each request that it makes to the host.
Within `request_cache` these share one look-up of the token and of its organisation's policy;
nothing is kept from one call to the next, so that a revocation counts at the next one. A
`request_cache` within another one looks again.
"""

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

T = TypeVar("T")

_found: ContextVar[dict[Hashable, Any] | None] = ContextVar("found", default=None)


@contextmanager
def request_cache() -> Iterator[None]:
    token = _found.set({})
    try:
        yield
    finally:
        _found.reset(token)


def forget() -> None:
    """Look again from here on, for a call that has waited."""
    found = _found.get()
    if found is not None:
        found.clear()


def is_within_call() -> bool:
    """Whether this serves a call to /mcp."""
    return _found.get() is not None


def cached(key: Hashable, look_up: Callable[[], T]) -> T:
    """What was found under this key within the same call, else what `look_up` finds now."""
    found = _found.get()
    if found is None:
        return look_up()
    if key not in found:
        found[key] = look_up()
    result: T = found[key]
    return result
