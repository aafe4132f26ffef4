"""Deletion trial: whether a view would delete, without deleting.

A person should not be asked to confirm what the CRM then refuses. Where a view that was started for
a trial begins to delete, it has passed its own checks; an exception of ours ends it there, which
DRF's handler turns into an answer. Everything else is untouched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.db.models import Model, QuerySet
from rest_framework.exceptions import APIException


class DeletionReached(APIException):
    """Ends the view. Its status does not matter: nobody reads the response."""

    status_code = 200
    default_detail = "would be deleted"


@dataclass
class Trial:
    reached: bool = False


# Ambient: the CRM's view lies between who tries and what is deleted.
_trial: ContextVar[Trial | None] = ContextVar("trial", default=None)


def install() -> None:
    """Once, at start-up."""
    for owner in (Model, QuerySet):
        delete = owner.delete
        if not hasattr(delete, "__wrapped__"):
            owner.delete = _stopped(delete)  # type: ignore[method-assign]


@contextmanager
def deletion_trial() -> Iterator[Trial]:
    trial = Trial()
    token = _trial.set(trial)
    try:
        yield trial
    finally:
        _trial.reset(token)


def _stopped(delete: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(delete)
    def delete_unless_tried(self: Any, *args: Any, **kwargs: Any) -> Any:
        trial = _trial.get()
        if trial is None:
            return delete(self, *args, **kwargs)
        trial.reached = True
        raise DeletionReached

    # Django marks QuerySet.delete so, for managers and templates.
    delete_unless_tried.__dict__.update(delete.__dict__)
    return delete_unless_tried
