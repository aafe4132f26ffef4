"""Created records: seen by a `post_save` receiver, since some creates return no id."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db.models import Model
from django.db.models.signals import post_save

_created: ContextVar[list[Model] | None] = ContextVar("created", default=None)


def install() -> None:
    # One permanent receiver: connecting one per call would let calls see each other's records.
    post_save.connect(_note, dispatch_uid="bottlecrm_mcp.created")


def _note(sender: type[Model], instance: Model, created: bool, **kwargs: Any) -> None:
    records = _created.get()
    if created and records is not None:
        records.append(instance)


@contextmanager
def created_records() -> Iterator[list[Model]]:
    """The model instances that are created within, in order."""
    records: list[Model] = []
    token = _created.set(records)
    try:
        yield records
    finally:
        _created.reset(token)
