"""Celery tasks that a write publishes leave when it is committed, and not at all otherwise.

BottleCRM's views call `.delay()` in the middle of a request. Sent at once, a worker could run
before the row is visible, and a write that is rolled back would still mail people.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import wraps
from importlib.util import find_spec
from typing import Any
from uuid import uuid4

from django.db import transaction

logger = logging.getLogger("bottlecrm_mcp")


@dataclass
class Held:
    """Names of the tasks that a request published, and of those that the broker did not take."""

    tasks: list[str] = field(default_factory=list)
    unsent: list[str] = field(default_factory=list)


_held: ContextVar[Held | None] = ContextVar("held", default=None)


def install() -> None:
    if find_spec("celery") is None:
        return
    from celery import Celery
    from celery.app.task import Task

    for owner, name in ((Task, "apply_async"), (Celery, "send_task")):
        publish = getattr(owner, name)
        if not hasattr(publish, "__wrapped__"):
            setattr(owner, name, _held_back(publish))


@contextmanager
def held_until_commit() -> Iterator[Held]:
    """Tasks published in a transaction within the block go out when that commits."""
    held = Held()
    token = _held.set(held)
    try:
        yield held
    finally:
        _held.reset(token)


def _held_back(publish: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(publish)
    def publish_later(self: Any, *args: Any, **options: Any) -> Any:
        held = _held.get()
        if held is None or not transaction.get_connection().in_atomic_block:
            return publish(self, *args, **options)
        return _hold(held, publish, self, args, options)

    return publish_later


def _hold(
    held: Held,
    publish: Callable[..., Any],
    target: Any,
    args: tuple[Any, ...],
    options: dict[str, Any],
) -> Any:
    from celery.result import AsyncResult

    app = getattr(target, "app", target)
    # A connection or producer of the request may be gone by the time of the commit.
    kept = {key: value for key, value in options.items() if key not in ("producer", "connection")}
    kept["task_id"] = kept.get("task_id") or str(uuid4())
    # The view may change its objects later; what can't be copied fails here, in the view.
    args, kept = copy.deepcopy((args, kept))
    # An application is given the task's name, a task has one.
    name = str(getattr(target, "name", "") or (args or (kept.get("name"),))[0])
    held.tasks.append(name)

    def send() -> None:
        try:
            publish(target, *args, **kept)
        except Exception:
            # The record is saved already: a broker that is down must not turn that into an error.
            logger.exception("The background task %s could not be published after a commit", name)
            held.unsent.append(name)

    transaction.on_commit(send)
    return AsyncResult(kept["task_id"], app=app)
