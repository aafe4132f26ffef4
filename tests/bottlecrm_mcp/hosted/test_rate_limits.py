"""What bounds a token's calls, as its client sees it."""

import asyncio
import json
import threading
import time
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest
from django.core.cache import cache
from mcp.shared.exceptions import MCPError

from bottlecrm_mcp.asgi import with_mcp
from bottlecrm_mcp.gateway.base import GatewayError
from bottlecrm_mcp.hosted import rate_limits, thread_pool
from bottlecrm_mcp.hosted.execution import seal
from demo_crm.entities.sales.leads import LeadList
from pat_tokens.secret import generate
from tests.agent import LEGACY, MODERN, Agent, as_agent
from tests.bottlecrm_mcp.hosted.http import JSON, LIST_TOOLS, bearer, send
from tests.bottlecrm_mcp.population import with_settings

SEARCH = LIST_TOOLS | {
    "method": "tools/call",
    "params": {"name": "crm_search", "arguments": {"entity": "leads"}},
}


@pytest.fixture(autouse=True)
def _empty_cache() -> None:
    cache.clear()
    rate_limits._used_up.clear()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A time in the 15th second of a minute."""
    now = SimpleNamespace(time=lambda: 6_000_015.0, monotonic=time.monotonic)
    monkeypatch.setattr(rate_limits, "time", now)
    return now


@pytest.fixture
def headers(token_for, alpha_user) -> dict[str, str]:
    return bearer(token_for(alpha_user))


def test_calls_per_minute(app, headers, settings, clock) -> None:
    settings.BOTTLECRM_MCP = with_settings(CALLS_PER_MINUTE=2)
    assert [send(app, headers=headers).status_code for _ in range(2)] == [200, 200]
    response = send(app, headers=headers, body=SEARCH)
    assert response.status_code == 429
    assert response.headers["Retry-After"] == "45"
    said = response.json()["error"]["message"]
    assert "you may make 2 in a minute, over all of your tokens. Wait 45 seconds." in said
    clock.time = lambda: 6_000_060.0
    assert send(app, headers=headers).status_code == 200


def test_tokens_of_one_person_share_the_minute(
    app, token_for, alpha_user, alpha_admin, settings, clock
) -> None:
    settings.BOTTLECRM_MCP = with_settings(CALLS_PER_MINUTE=1)
    first, second = (bearer(token_for(alpha_user)) for _ in range(2))
    assert send(app, headers=first).status_code == 200
    assert send(app, headers=second).status_code == 429
    assert send(app, headers=first).status_code == 429
    assert send(app, headers=bearer(token_for(alpha_admin))).status_code == 200


def test_token_that_used_up_its_minute_is_not_looked_for(
    app, token_for, alpha_user, alpha_admin, settings, clock, monkeypatch, caplog
) -> None:
    settings.BOTTLECRM_MCP = with_settings(CALLS_PER_MINUTE=1)
    first, second = (bearer(token_for(each)) for each in (alpha_user, alpha_admin))
    assert [send(app, headers=first).status_code for _ in range(2)] == [200, 429]
    caplog.set_level("INFO", "bottlecrm_mcp.calls")
    with monkeypatch.context() as patch:
        # Whoever needs a thread of the pool waits for the database.
        patch.setattr(thread_pool, "in_pool_within", None)
        refused = send(app, headers=first)
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "45"
    assert "token_id=" in caplog.text
    assert "org_id=" in caplog.text
    assert send(app, headers=second).status_code == 200
    clock.time = lambda: 6_000_060.0
    assert send(app, headers=first).status_code == 200


def test_stranger_uses_up_nobodys_calls(app, token_for, alpha_user, settings, clock) -> None:
    """Not by what they can see of a token, and not by what they make up."""
    settings.BOTTLECRM_MCP = with_settings(CALLS_PER_MINUTE=1)
    secret = token_for(alpha_user)
    guesses = [secret[:-1], secret[:13] + "x" * (len(secret) - 13), generate()]
    for guess in guesses * 3:
        assert send(app, headers=bearer(guess)).status_code == 401
    assert not rate_limits._used_up
    assert send(app, headers=bearer(secret)).status_code == 200


@pytest.mark.parametrize("off", [0, None])
def test_no_limit(app, headers, settings, off) -> None:
    settings.BOTTLECRM_MCP = with_settings(CALLS_PER_MINUTE=off, CONCURRENT_CALLS=off)
    assert [send(app, headers=headers).status_code for _ in range(5)] == [200] * 5


@pytest.mark.parametrize("era", [MODERN, LEGACY])
@pytest.mark.django_db(transaction=True)
def test_agent_is_told_to_wait(token_for, alpha_user, settings, clock, era) -> None:
    settings.BOTTLECRM_MCP = with_settings(CALLS_PER_MINUTE=4)

    async def steps(agent: Agent) -> str:
        while True:
            try:
                await agent("crm_search", entity="leads")
            except MCPError as refusal:
                return str(refusal)

    said = as_agent(token_for(alpha_user), steps, era)
    assert "you may make 4 in a minute, over all of your tokens. Wait 45 seconds." in said


class Crowd:
    """Searches that wait inside the CRM until they are let go."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.go = threading.Event()
        self.inside = threading.Semaphore(0)
        visible = LeadList.visible

        def waiting(view: Any) -> Any:
            self.inside.release()
            self.go.wait(30)
            return visible(view)

        monkeypatch.setattr(LeadList, "visible", waiting)

    async def is_inside(self, number: int) -> None:
        for _ in range(number):
            await asyncio.to_thread(self.inside.acquire)


@pytest.fixture
def crowd(monkeypatch: pytest.MonkeyPatch) -> Crowd:
    return Crowd(monkeypatch)


@pytest.mark.parametrize("era", [MODERN, LEGACY])
@pytest.mark.django_db(transaction=True)
def test_concurrent_calls(token_for, alpha_user, settings, monkeypatch, crowd, era) -> None:
    settings.BOTTLECRM_MCP = with_settings(CONCURRENT_CALLS=2)
    monkeypatch.setattr(rate_limits, "WAIT_SECONDS", 0.1)

    async def steps(agent: Agent) -> None:
        running = [asyncio.ensure_future(agent("crm_search", entity="leads")) for _ in range(2)]
        await crowd.is_inside(2)
        with pytest.raises(MCPError) as refusal:
            await agent("list_actions")
        assert "you may have 2 running, over all of your tokens. Wait 1 second." in str(
            refusal.value
        )
        crowd.go.set()
        assert [each["total"] for each in await asyncio.gather(*running)] == [0, 0]
        await agent("list_actions")

    as_agent(token_for(alpha_user), steps, era)


@pytest.mark.django_db(transaction=True)
def test_tokens_of_one_person_share_the_slots(
    token_for, alpha_user, alpha_admin, settings, monkeypatch, crowd
) -> None:
    settings.BOTTLECRM_MCP = with_settings(CONCURRENT_CALLS=2)
    monkeypatch.setattr(rate_limits, "WAIT_SECONDS", 0.1)
    mine, other, colleagues = map(token_for, (alpha_user, alpha_user, alpha_admin))

    async def run() -> list[int]:
        transport = httpx2.ASGITransport(with_mcp(None))
        async with httpx2.AsyncClient(transport=transport, base_url="http://testserver") as http:

            async def status(secret: str, body: Any) -> int:
                headers = {**JSON, **bearer(secret)}
                return (await http.post("/mcp", json=body, headers=headers)).status_code

            held = [asyncio.ensure_future(status(each, SEARCH)) for each in (mine, other)]
            await crowd.is_inside(2)
            asked = [await status(each, LIST_TOOLS) for each in (mine, other, colleagues)]
            crowd.go.set()
            return [*asked, *await asyncio.gather(*held)]

    assert asyncio.run(run()) == [429, 429, 200, 200, 200]


@pytest.mark.django_db(transaction=True)
def test_calls_at_once_wait_a_while_for_a_slot(token_for, alpha_user, settings, crowd) -> None:
    settings.BOTTLECRM_MCP = with_settings(CONCURRENT_CALLS=2)

    async def steps(agent: Agent) -> None:
        calls = [asyncio.ensure_future(agent("crm_search", entity="leads")) for _ in range(6)]
        await crowd.is_inside(2)
        crowd.go.set()
        assert [each["total"] for each in await asyncio.gather(*calls)] == [0] * 6

    as_agent(token_for(alpha_user), steps)


@pytest.mark.django_db(transaction=True)
def test_slots_come_back_whatever_a_request_does(token_for, alpha_user, settings) -> None:
    settings.BOTTLECRM_MCP = with_settings(CONCURRENT_CALLS=1)
    headers = {**JSON, **bearer(token_for(alpha_user))}
    failing = SEARCH | {"params": {"name": "crm_get", "arguments": {"entity": "leads"}}}

    async def run() -> list[int]:
        transport = httpx2.ASGITransport(with_mcp(None))
        async with httpx2.AsyncClient(transport=transport, base_url="http://testserver") as http:
            bodies = (b"garbage", json.dumps(LIST_TOOLS), json.dumps(failing), json.dumps(SEARCH))
            return [
                (await http.post("/mcp", content=body, headers=headers)).status_code
                for body in bodies
            ]

    assert asyncio.run(run()) == [400, 200, 200, 200]


def test_slot_of_a_process_that_died_comes_back(settings, monkeypatch) -> None:
    settings.BOTTLECRM_MCP = with_settings(CONCURRENT_CALLS=1)
    monkeypatch.setattr(rate_limits, "SLOT_SECONDS", 0)
    assert rate_limits.Slot().take("a")
    # Nobody gave it back.
    assert rate_limits.Slot().take("a")


def test_slots_are_counted_by_person(settings) -> None:
    settings.BOTTLECRM_MCP = with_settings(CONCURRENT_CALLS=1)
    slot = rate_limits.Slot()
    assert slot.take("a")
    assert not rate_limits.Slot().take("a")
    assert rate_limits.Slot().take("b")
    slot.release()
    assert rate_limits.Slot().take("a")
    # Giving back twice takes nobody's slot.
    slot.release()
    assert not rate_limits.Slot().take("a")


@pytest.mark.parametrize("backend", ["tests.bottlecrm_mcp.hosted.test_rate_limits.Down", "dummy"])
def test_cache_that_fails_stops_nobody(app, headers, settings, caplog, backend) -> None:
    settings.BOTTLECRM_MCP = with_settings(CALLS_PER_MINUTE=1, CONCURRENT_CALLS=1)
    dummy = "django.core.cache.backends.dummy.DummyCache"
    settings.CACHES = {"default": {"BACKEND": dummy if backend == "dummy" else backend}}
    assert [send(app, headers=headers).status_code for _ in range(3)] == [200] * 3
    assert ("the cache fails (ConnectionError)" in caplog.text) == (backend != "dummy")


class Down:
    """A cache that can't be reached."""

    def __init__(self, location: str, params: Any) -> None:
        pass

    def __getattr__(self, name: str) -> Any:
        def fail(*arguments: Any, **options: Any) -> Any:
            raise ConnectionError("10.0.0.1")

        if name == "close":
            return lambda **options: None
        return fail


def test_confirmation_that_counts_once_waits_for_the_cache(settings) -> None:
    settings.CACHES = {"default": {"BACKEND": "tests.bottlecrm_mcp.hosted.test_rate_limits.Down"}}
    with pytest.raises(GatewayError, match="Nothing was changed") as fault:
        seal().spend("x")
    assert fault.value.code == "unavailable"


def error_of(response: httpx2.Response) -> dict[str, Any]:
    return json.loads(response.json()["result"]["content"][0]["text"])["error"]


def call(tool: str, **arguments: Any) -> dict[str, Any]:
    return SEARCH | {"params": {"name": tool, "arguments": arguments}}


def nested(depth: int) -> Any:
    return [nested(depth - 1)] if depth else 1


@pytest.mark.parametrize(
    "value",
    [nested(8), {"a": nested(7)}, list(range(2_000)), {str(each): 1 for each in range(1_000)}],
)
def test_arguments_that_hold_too_much(app, headers, value) -> None:
    body = call("crm_search", entity="leads", filters={"status": value})
    error = error_of(send(app, headers=headers, body=body))
    assert error["code"] == "invalid_arguments"
    assert "nested too deeply" in error["message"] or "more than 2000 values" in error["message"]


def test_bounds_of_the_settings(app, headers, settings) -> None:
    settings.BOTTLECRM_MCP = with_settings(MAX_DEPTH=2)
    deep = call("crm_search", entity="leads", filters={"status": [["new"]]})
    assert "too deeply" in error_of(send(app, headers=headers, body=deep))["message"]
    settings.BOTTLECRM_MCP = with_settings(MAX_VALUES=6)
    wide = call("crm_search", entity="leads", fields=["status", "title", "city"])
    assert "more than 6 values" in error_of(send(app, headers=headers, body=wide))["message"]
    assert not send(app, headers=headers, body=SEARCH).json()["result"]["isError"]


@pytest.mark.parametrize("bomb", ["[" * 400_000, '{"a":' * 150_000, "[" * 400_000 + "]" * 400_000])
def test_bottomless_json_is_not_parsed(app, headers, bomb) -> None:
    whole = f'{{"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {{"x": {bomb}}}}}'
    for body in (bomb, whole):
        response = send(app, headers=headers, body=body.encode())
        assert response.status_code == 400
        assert response.json()["error"]["code"] in (-32700, -32600)


def test_answer_that_is_too_large(app, headers, settings) -> None:
    settings.BOTTLECRM_MCP = with_settings(MAX_ANSWER_BYTES=1_000)
    error = error_of(send(app, headers=headers, body=call("list_actions")))
    assert error["code"] == "too_large"
    assert "fewer records, fields or includes" in error["hint"]
    assert not send(app, headers=headers, body=SEARCH).json()["result"]["isError"]


def test_answer_of_a_write_says_that_it_is_done(app, headers, settings) -> None:
    settings.BOTTLECRM_MCP = with_settings(MAX_ANSWER_BYTES=300)
    data = {"first_name": "Ann", "last_name": "Lee", "description": "ä" * 200}
    body = call("crm_create", entity="leads", data=data)
    answer = send(app, headers=headers, body=body).json()["result"]["structuredContent"]
    assert answer["entity"] == "leads"
    assert answer["id"]
    assert answer["notes"] == ["This is done. Too large to be shown: record."]


def test_preview_that_is_too_large_confirms_nothing(app, headers, settings) -> None:
    settings.BOTTLECRM_MCP = with_settings(MAX_ANSWER_BYTES=300)
    data = {"first_name": "Ann", "last_name": "Lee", "email": "a@b.test", "status": "converted"}
    body = call("crm_create", entity="leads", data=data)
    assert error_of(send(app, headers=headers, body=body))["code"] == "too_large"
