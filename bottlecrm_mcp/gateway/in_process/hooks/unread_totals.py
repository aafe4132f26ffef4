"""Unread totals: what a list view counts and sums is asked of the database when it is read.

BottleCRM's lists tell totals beside their rows, each over all that the caller sees. A view whose
list is taken from it never answers, so nobody reads them. Where the view itself does, as in a
comparison, they are asked for then. Other models than the listed one are counted at once: what
limits a token counts them, each within an organisation's context of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache, partial, wraps
from typing import Any

from django.db.models import Model, QuerySet
from django.utils.functional import lazy


@dataclass
class Totals:
    """Whether totals of this model are left unread at the moment, and whether any were."""

    model: type[Model]
    may_be_left: bool = True
    were_left: bool = False


# Ambient: the CRM's view lies between who takes its list and what it counts.
_totals: ContextVar[Totals | None] = ContextVar("totals", default=None)

_number: Callable[..., Any] = lazy(lambda ask: ask(), int)
_numbers: Callable[..., Any] = lazy(lambda ask: ask(), dict)


def install() -> None:
    """Once, at start-up."""
    for name, unread in (("count", _number), ("aggregate", _numbers)):
        asked = getattr(QuerySet, name)
        if not hasattr(asked, "__wrapped__"):
            setattr(QuerySet, name, _asked_when_read(asked, unread))


@contextmanager
def totals_left_unread(model: type[Model]) -> Iterator[Totals]:
    """Within, until `read_totals` is called."""
    totals = Totals(model)
    token = _totals.set(totals)
    try:
        yield totals
    finally:
        _totals.reset(token)


def read_totals() -> None:
    """From here on totals are asked for at once."""
    if totals := _totals.get():
        totals.may_be_left = False


def _asked_when_read(asked: Callable[..., Any], unread: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(asked)
    def ask_when_read(self: Any, *args: Any, **kwargs: Any) -> Any:
        totals = _totals.get()
        if totals is None or not totals.may_be_left or self.model is not totals.model:
            return asked(self, *args, **kwargs)
        totals.were_left = True
        return unread(cache(partial(asked, self, *args, **kwargs)))

    return ask_when_read
