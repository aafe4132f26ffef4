"""Progress of a call: how much of what it has to do is done, told to whoever asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

# Takes how much there is, of how much, and in words.
Report = Callable[[int, int, str], None]

_report: ContextVar[Report | None] = ContextVar("report", default=None)


@contextmanager
def reported_to(report: Report | None) -> Iterator[None]:
    """Tell the progress of what is done in the block."""
    token = _report.set(report)
    try:
        yield
    finally:
        _report.reset(token)


def tell(done: int, of: int, what: str, verb: str = "read") -> None:
    if report := _report.get():
        report(done, of, f"{done} of {of} {what} {verb}")
