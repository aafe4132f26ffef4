"""Forms of hosted clients on the older revisions, whose answers are requests of their own.

Two servers share nothing but the database, and each request goes to the other one than the last.
"""

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from itertools import cycle
from typing import Any
from urllib.parse import urlsplit

import httpx2
import mcp_types as types
import pytest
from django.core.cache import cache
from django.db import connection
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client

from bottlecrm_mcp.asgi import with_mcp
from bottlecrm_mcp.conf import mcp_settings
from bottlecrm_mcp.hosted import forms, open_forms
from bottlecrm_mcp.models import OpenForm
from bottlecrm_mcp.protocol import older_forms
from demo_crm.access.row_security import org_context
from demo_crm.models import Lead, Profile
from tests.agent import LEGACY, MODERN, Agent, Json, Person
from tests.bottlecrm_mcp.hosted.http import JSON, bearer
from tests.bottlecrm_mcp.hosted.live import serving
from tests.bottlecrm_mcp.hosted.withdrawal import revoke
from tests.conformance.run import wait_for

pytestmark = pytest.mark.django_db(transaction=True)

INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 0,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {"elicitation": {}},
        "clientInfo": {"name": "A client", "version": "2"},
    },
}
AGREED = {"action": "accept", "content": {"confirm": True}}


class EachInTurn(httpx2.AsyncHTTPTransport):
    """Sends one request to one server, the next one to the other."""

    def __init__(self, ports: list[int]) -> None:
        # Certificates, of which there are none here, take their time to read.
        super().__init__(verify=False)
        self.ports = cycle(ports)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        request.url = request.url.copy_with(port=next(self.ports))
        return await super().handle_async_request(request)


@pytest.fixture(scope="module")
def ports() -> Iterator[list[int]]:
    with serving(with_mcp(None)) as one, serving(with_mcp(None)) as other:
        yield [one, other]


@pytest.fixture(autouse=True)
def _empty_cache() -> None:
    cache.clear()


@pytest.fixture
def lead(alpha_user: Profile) -> Lead:
    with org_context(alpha_user.org):
        return Lead.objects.create(org=alpha_user.org, last_name="Lee", created_by=alpha_user.user)


@pytest.fixture
def assistant(ports: list[int], token_for: Any, alpha_user: Profile) -> Callable[..., Any]:
    """What the steps return with the official client, and a person who answers its forms."""

    def run(steps: Any, person: Any, mode: str = LEGACY) -> Any:
        secret = token_for(alpha_user)

        async def connected() -> Any:
            async with web(ports, secret) as http:
                way = streamable_http_client("/mcp", http_client=http)
                options: Json = {"elicitation_callback": person, "cache": None}
                async with Client(way, mode=mode, **options) as client:
                    return await steps(Agent(client, person))

        return asyncio.run(connected())

    return run


def web(ports: list[int], secret: str) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(
        transport=EachInTurn(ports),
        base_url="http://127.0.0.1",
        headers={**JSON, **bearer(secret)},
        timeout=30,
    )


class Asked:
    """A call whose form is open."""

    def __init__(self, http: httpx2.AsyncClient, events: AsyncIterator[Json], form: Json) -> None:
        self.http = http
        self.events = events
        self.form = form

    async def answer(self, secret: str, result: Json | None = None) -> int:
        """The status of an answer by this token."""
        message = {"jsonrpc": "2.0", "id": self.form["id"], "result": result or AGREED}
        return (await self.http.post("/mcp", json=message, headers=bearer(secret))).status_code

    async def result(self) -> Json:
        answer = await anext(self.events)
        return json.loads(answer["result"]["content"][0]["text"])


@asynccontextmanager
async def asked(
    ports: list[int], secret: str, lead: Lead, **confirming: Any
) -> AsyncIterator[Asked]:
    """A client that decides on each of its requests, and has asked for the lead to be deleted."""
    async with web(ports, secret) as http:
        http.headers["Mcp-Session-Id"] = await session_of(http)
        async with http.stream("POST", "/mcp", json=call(lead, **confirming)) as response:
            assert response.headers["content-type"] == "text/event-stream"
            assert "no-transform" in response.headers["cache-control"]
            assert response.headers["x-accel-buffering"] == "no"
            events = messages(response)
            yield Asked(http, events, await anext(events))


async def session_of(http: httpx2.AsyncClient) -> str:
    return (await http.post("/mcp", json=INITIALIZE)).headers["mcp-session-id"]


async def messages(response: httpx2.Response) -> AsyncIterator[Json]:
    async for event in httpx2.EventSource(response):
        yield json.loads(event.data)


def delete(lead: Lead) -> Json:
    return {"entity": "leads", "id": str(lead.pk)}


def call(lead: Lead, **confirming: Any) -> Json:
    params = {"name": "crm_delete", "arguments": {**delete(lead), **confirming}}
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}


def refused(answer: Json) -> Json:
    error: Json = json.loads(answer["result"]["content"][0]["text"])["error"]
    return error


def leads(person: Profile) -> int:
    with org_context(person.org):
        return Lead.objects.count()


def open_forms_of(person: Profile) -> int:
    with org_context(person.org):
        return OpenForm.objects.count()


def none_is_left(person: Profile) -> bool:
    """The row is removed by a thread that nobody waits for."""
    until = time.monotonic() + 10
    while open_forms_of(person) and time.monotonic() < until:
        time.sleep(0.02)
    return not open_forms_of(person)


class Answering(Person):
    def __init__(self, action: str) -> None:
        super().__init__()
        self.action = action

    async def __call__(self, context: Any, params: types.ElicitRequestParams) -> types.ElicitResult:
        self.read.append(params.message)
        return types.ElicitResult.model_validate({**AGREED, "action": self.action})


@pytest.mark.parametrize("action", ["accept", "decline", "cancel"])
def test_answer_means_what_it_means_on_the_newer_one(
    assistant: Any, alpha_user: Profile, lead: Lead, action: str
) -> None:
    seen = []
    for mode in (LEGACY, MODERN):
        person = Answering(action)
        with org_context(alpha_user.org):
            lead.save()
        result = assistant(lambda agent: agent("crm_delete", **delete(lead)), person, mode)
        seen.append((person.read, result))
        assert leads(alpha_user) == (action != "accept")
    assert seen[0] == seen[1]
    assert len(seen[0][0]) == 1
    assert none_is_left(alpha_user)


def test_call_that_asks_for_progress_too(assistant: Any, alpha_user: Profile, lead: Lead) -> None:
    person = Person()

    async def told(progress: float, total: float | None, message: str | None) -> None:
        """A delete tells of none."""

    async def steps(agent: Agent) -> Any:
        return await agent.client.call_tool("crm_delete", delete(lead), progress_callback=told)

    assert assistant(steps, person).structured_content["deleted"]
    assert person.read
    assert none_is_left(alpha_user)


def test_nobody_answers_in_time_and_the_agent_agrees(
    ports: list[int],
    token_for: Any,
    alpha_user: Profile,
    lead: Lead,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(older_forms, "ANSWER_SECONDS", 0.3)
    monkeypatch.setattr(forms, "KEEP_ALIVE_SECONDS", 0)
    secret = token_for(alpha_user)

    async def steps() -> Json:
        async with asked(ports, secret, lead, confirm=True) as form:
            result = await form.result()
            assert await form.answer(secret) == 202
            return result

    assert asyncio.run(steps())["declined"] is False
    assert leads(alpha_user) == 1
    assert none_is_left(alpha_user)


def test_only_who_was_asked_answers_and_once(
    ports: list[int],
    token_for: Any,
    alpha_user: Profile,
    alpha_admin: Profile,
    beta_user: Profile,
    lead: Lead,
) -> None:
    secret = token_for(alpha_user)
    others = [token_for(each) for each in (alpha_user, alpha_admin, beta_user)]

    async def steps() -> Json:
        async with asked(ports, secret, lead) as form:
            # Told nothing: an answer that comes too late is no error either.
            assert [await form.answer(other) for other in others] == [202, 202, 202]
            assert await form.answer(secret, {"action": "decline"}) == 202
            assert await form.answer(secret) == 202
            return await form.result()

    assert asyncio.run(steps())["declined"]
    assert leads(alpha_user) == 1


def test_revoked_after_the_answer(
    ports: list[int],
    token_for: Any,
    alpha_user: Profile,
    lead: Lead,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    secret = token_for(alpha_user)
    answer_of = open_forms.answer_of

    def then_revoked(*arguments: Any) -> str:
        if answer := answer_of(*arguments):
            revoke(alpha_user)
        return answer

    monkeypatch.setattr(open_forms, "answer_of", then_revoked)

    async def steps() -> Json:
        async with asked(ports, secret, lead) as form:
            await form.answer(secret)
            return await form.result()

    error = asyncio.run(steps())["error"]
    assert error["code"] == "unauthorized"
    assert error["message"].endswith("Nothing was changed.")
    assert leads(alpha_user) == 1
    assert none_is_left(alpha_user)


def test_client_that_leaves(
    ports: list[int], token_for: Any, alpha_user: Profile, lead: Lead
) -> None:
    secret = token_for(alpha_user)

    async def steps() -> None:
        async with asked(ports, secret, lead):
            pass

    asyncio.run(steps())
    assert none_is_left(alpha_user)
    assert leads(alpha_user) == 1


def test_client_that_shows_no_form_after_all_and_the_agent_agrees(
    ports: list[int], token_for: Any, alpha_user: Profile, lead: Lead
) -> None:
    secret = token_for(alpha_user)

    async def steps() -> Json:
        async with asked(ports, secret, lead, confirm=True) as form:
            error = {"jsonrpc": "2.0", "id": form.form["id"], "error": {"code": -1, "message": ""}}
            await form.http.post("/mcp", json=error)
            return await form.result()

    assert asyncio.run(steps())["declined"] is False
    assert leads(alpha_user) == 1


def test_form_that_cannot_be_opened(
    ports: list[int],
    token_for: Any,
    alpha_user: Profile,
    lead: Lead,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    secret = token_for(alpha_user)
    monkeypatch.setattr(
        open_forms, "EXCHANGE", "SELECT * FROM of_a_table_that_is_missing(%s, %s, %s)"
    )

    async def steps() -> Json:
        async with web(ports, secret) as http:
            http.headers["Mcp-Session-Id"] = await session_of(http)
            return refused((await http.post("/mcp", json=call(lead, confirm=True))).json())

    assert asyncio.run(steps())["code"] == "unavailable"
    assert leads(alpha_user) == 1


def test_many_wait(
    ports: list[int],
    token_for: Any,
    alpha_user: Profile,
    alpha_admin: Profile,
    lead: Lead,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """More than there are threads: they hold none of them, and no connections."""
    most = mcp_settings().THREADS
    monkeypatch.setattr(open_forms, "MOST", most)
    secrets = [token_for(alpha_user), token_for(alpha_admin)]

    async def steps() -> Json:
        async with AsyncExitStack() as stack:
            for secret in secrets * most:
                await stack.enter_async_context(asked(ports, secret, lead))
            assert await none_is_held()
            async with web(ports, secrets[0]) as http:
                http.headers["Mcp-Session-Id"] = await session_of(http)
                return refused((await http.post("/mcp", json=call(lead, confirm=True))).json())

    # One person has a few open at most; where no more can be shown, the agent agrees to nothing.
    assert asyncio.run(steps())["code"] == "rate_limited"
    assert leads(alpha_user) == 1
    assert none_is_left(alpha_user)


async def none_is_held() -> bool:
    """Whether there is a moment at which threads have connections, but no form that waits.

    Each look for an answer takes some milliseconds, and its thread keeps its connection for the
    next one. This thread has one, too.
    """
    until = time.monotonic() + 10
    while time.monotonic() < until:
        pool = getattr(connection, "pool", None)
        assert pool
        state = pool.get_stats()
        if state["pool_size"] - state["pool_available"] <= mcp_settings().THREADS + 1:
            return True
        await asyncio.sleep(0.01)
    return False


@contextmanager
def worker() -> Iterator[tuple[int, Callable[[], None]]]:
    """A server in a process of its own, and what kills it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path=connection.settings_dict["NAME"])
    command = [sys.executable, "-m", "uvicorn", "settings.asgi:application", "--port", str(port)]
    env = {**os.environ, "DATABASE_URL": url.geturl(), "DJANGO_SETTINGS_MODULE": "settings.test"}
    server = subprocess.Popen(command, env=env)
    try:
        wait_for(server, port, seconds=60)
        yield port, server.kill
    finally:
        server.kill()
        server.wait()


def test_worker_that_is_killed_meanwhile(
    ports: list[int], token_for: Any, alpha_user: Profile, lead: Lead
) -> None:
    secret = token_for(alpha_user)

    async def steps() -> Json:
        with worker() as (port, kill):
            async with asked([port], secret, lead) as form:
                kill()
                with pytest.raises(httpx2.RemoteProtocolError):
                    await form.result()
        async with asked(ports, secret, lead) as again:
            await again.answer(secret)
            return await again.result()

    assert asyncio.run(steps())["deleted"]
