"""What the evaluation itself sees: wrong writes, wrong answers, and the loops of endpoints."""

from collections import Counter
from typing import Any

import pytest
from asgiref.sync import async_to_sync

from settings.asgi import application
from tests.agent import Agent, connected
from tests.clients.model import Model, Seen, playing
from tests.evals import figures, worlds
from tests.evals import task as all_tasks
from tests.evals.attempt import Host, Stage
from tests.evals.endpoints import ENDPOINTS, PATHS
from tests.evals.meter import Meter
from tests.evals.openapi import tools_of
from tests.evals.played import Played
from tests.evals.scripted import had_effect


@pytest.fixture
def stage(host: Host) -> Stage:
    task = all_tasks.load("win_a_deal")
    [about] = worlds.make_worlds([task.world])
    return Stage(task, about, host)


def played(stage: Stage, steps: Any) -> tuple[str, Meter]:
    async def through() -> tuple[str, Meter]:
        async with connected(application, stage.world.token, "legacy") as plain:
            meter = Meter(plain.client)
            return str(await steps(meter)), meter

    return async_to_sync(through)()


async def another_too(agent: Agent) -> None:
    await all_tasks.load("win_a_deal").perfect(agent)
    deal = {"entity": "opportunities", "id": "Sensor rental"}
    await agent("crm_update", **deal, data={"stage": "NEGOTIATION"})


async def another_field(agent: Agent) -> None:
    await all_tasks.load("win_a_deal").perfect(agent)
    deal = {"entity": "opportunities", "id": "Sensor upgrade"}
    await agent("crm_update", **deal, data={"description": "Hooray"})


async def nothing(agent: Agent) -> None:
    pass


@pytest.mark.parametrize(
    ("steps", "wrong"),
    [
        (another_too, "changed demo_crm_opportunity Sensor rental"),
        (another_field, "description"),
        (nothing, ""),
    ],
)
def test_attempt_that_did_otherwise(stage: Stage, steps: Any, wrong: str) -> None:
    _, meter = played(stage, lambda client: steps(Agent(client)))
    result = stage.judge("", meter.figures, None)
    assert not result.passed
    assert wrong in "".join(result.wrong_writes)
    assert bool(result.why) == (steps is nothing)


@pytest.mark.parametrize(
    ("said", "has"),
    [
        ({"count": 0, "done": [], "already_so": 2, "changed": {}}, False),
        ({"count": 1, "done": [{"id": "1"}], "already_so": 1}, True),
        ({"id": "1", "changed": {}}, False),
        ({"id": "1", "changed": {"status": {}}}, True),
        ({"declined": True}, False),
        ({"confirmation_required": True}, False),
        ({"id": "1", "deleted": True}, True),
        ({"record": {}}, True),
    ],
)
def test_effect_of_what_nobody_agreed_to(said: Any, has: bool) -> None:
    assert had_effect(said) == has


def test_leak(stage: Stage) -> None:
    strange = stage.strange["opportunities"]
    assert stage.judge(f"See {strange}", Meter(None).figures, None).leaks == [strange]


@pytest.mark.parametrize("form", ENDPOINTS)
def test_endpoint(stage: Stage, form: str) -> None:
    with playing() as model:
        Model.seen = Seen(Played(stage.task))
        endpoint = ENDPOINTS[form](f"{model}/v1/{PATHS[form]}", "scripted")
        _, meter = played(stage, lambda client: endpoint.ask(stage.task.words, client, ""))
    assert stage.judge("", meter.figures, None).passed
    assert (endpoint.tokens_in, endpoint.tokens_out) == (2, 2)


def test_tools_of_an_openapi_schema() -> None:
    item = {"type": "object", "properties": {"next": {"$ref": "#/components/schemas/Item"}}}
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Item"}}}
    post = {"operationId": "make", "requestBody": {"content": content}}
    schema = {"paths": {"/a/": {"post": post}}, "components": {"schemas": {"Item": item}}}
    [tool] = tools_of(schema)
    assert tool["name"] == "make"
    body = tool["inputSchema"]["properties"]["body"]
    assert body == {"type": "object", "properties": {"next": {"type": "object"}}}


def test_figures_are_kept() -> None:
    """`make evals AGENT=perfect EVALS=--record`, and the same for the other two, keep them."""
    every = figures.kept()
    names = [each.name for each in all_tasks.tasks()]
    assert [each for each in names if len(every.get(each, ())) < 3] == []


def test_enough_tasks_of_each_kind() -> None:
    kinds = Counter(each.kind for each in all_tasks.tasks())
    assert kinds >= Counter(question=20, change=20, day=10, safety=10)
