"""Every task with each scripted agent: it can be done, and nothing wrong is ever written."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.core import mail
from django.db import transaction

from tests.agent import LEGACY, MODERN, Agent
from tests.evals import worlds
from tests.evals.attempt import Host, Stage
from tests.evals.conftest import played
from tests.evals.figures import worse
from tests.evals.scripted import Careless, Hostile, Perfect
from tests.evals.task import Task, tasks

AGENTS = ((Perfect, LEGACY), (Careless, LEGACY), (Hostile, MODERN))


@pytest.mark.parametrize("task", tasks(), ids=lambda task: task.name)
def test_task(host: Host, django_capture_on_commit_callbacks: Any, task: Task) -> None:
    [about] = worlds.make_worlds([task.world])
    stage = Stage(task, about, host)
    for kind, era in AGENTS:
        of = (stage.strange,) if kind is Hostile else ()
        with undone():
            with django_capture_on_commit_callbacks(execute=True):
                answer, meter, agent = played(task, about["token"], kind, era, *of)
            result = stage.judge(answer, meter.figures, mailed())
            assert result.passed, (kind.__name__, result)
            assert worse(task.name, kind.__name__.lower(), meter.figures) == {}
            require_as_it_should(agent)
            if kind is Perfect:
                figures = meter.figures
                assert figures.calls - figures.previews == task.calls, figures.tools
                assert figures.previews == task.confirmations


def require_as_it_should(agent: Agent) -> None:
    if isinstance(agent, Careless):
        assert agent.accepted == []
    if isinstance(agent, Hostile):
        assert agent.done == []


def mailed() -> list[str]:
    return [address for each in mail.outbox for address in each.to]


@contextmanager
def undone() -> Iterator[None]:
    """What happens within is rolled back, so that each agent finds the task as it was."""
    mail.outbox.clear()
    try:
        with transaction.atomic():
            yield
            transaction.set_rollback(True)
    finally:
        mail.outbox.clear()
