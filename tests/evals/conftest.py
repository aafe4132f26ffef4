"""The in-process host of the tests: the demo, in one transaction for each task."""

import functools
import json
from typing import Any, cast

import pytest
from asgiref.sync import async_to_sync
from django.core.cache import cache
from django.db import connection
from django.test import Client

from bottlecrm_mcp.hosted import rate_limits
from settings.asgi import application
from tests.agent import Agent, Person, connected
from tests.end_to_end.conftest import one_thread  # noqa: F401 (a fixture)
from tests.evals import worlds
from tests.evals.attempt import Host
from tests.evals.meter import Meter
from tests.evals.snapshot import Schema
from tests.evals.task import Task


@pytest.fixture
def host(one_thread: None) -> Host:  # noqa: F811
    return Host(in_process, connection, schema(), worlds.tables())


@functools.cache
def schema() -> Schema:
    return Schema.of(connection)


def in_process(method: str, path: str, token: str, body: Any) -> tuple[int, Any]:
    client = Client(raise_request_exception=False)
    answer = client.generic(
        method,
        path,
        "" if body is None else json.dumps(body),
        content_type="application/json",
        headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
    )
    try:
        return answer.status_code, answer.json()
    except ValueError:
        return answer.status_code, answer.content.decode()


def played(
    task: Task, token: str, kind: type[Agent], era: str, *of: Any
) -> tuple[str, Meter, Agent]:
    """A scripted agent through the task: its answer, what passed, and the agent itself."""

    async def through() -> tuple[str, Meter, Agent]:
        person = Person(agrees=False) if era != "legacy" else None
        async with connected(application, token, era, person) as plain:
            meter = Meter(plain.client)
            agent: Any = kind(cast(Any, meter), person, *of)
            return str(await task.perfect(agent) or ""), meter, agent

    # Limits count in the cache, and each agent begins anew.
    cache.clear()
    rate_limits._used_up.clear()
    return async_to_sync(through)()
