"""Work on the pool's threads ends with its time, and counts until it has ended."""

import asyncio
import json
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.core.cache import cache, caches
from django.core.cache.backends.dummy import DummyCache
from django.db import OperationalError, connection

from bottlecrm_mcp.asgi import with_mcp
from bottlecrm_mcp.conf import mcp_settings
from bottlecrm_mcp.gateway.in_process.deadline import Deadline
from bottlecrm_mcp.hosted import execution, rate_limits, thread_pool
from demo_crm.access.row_security import org_context
from demo_crm.models import Lead, Profile
from pat_tokens import mcp_endpoint
from pat_tokens.mcp_endpoint import record_write
from pat_tokens.models import Event
from tests.agent import LEGACY, MODERN, Agent, as_agent
from tests.bottlecrm_mcp.hosted.live import Wire, length, serving
from tests.bottlecrm_mcp.hosted.test_rate_limits import Crowd
from tests.bottlecrm_mcp.population import with_settings

pytestmark = pytest.mark.django_db(transaction=True)

NEW = {"entity": "leads", "data": {"first_name": "Ann", "last_name": "Lee"}}
TOKENS = "LOCK TABLE pat_tokens_token IN ACCESS EXCLUSIVE MODE"


@pytest.fixture(autouse=True)
def _two_seconds(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.clear()
    settings.BOTTLECRM_MCP = with_settings(CALL_SECONDS=2, CONCURRENT_CALLS=1)
    monkeypatch.setattr(rate_limits, "WAIT_SECONDS", 0.1)


@pytest.fixture
def secret(token_for: Any, alpha_admin: Profile) -> str:
    return token_for(alpha_admin)


@pytest.fixture
def crowd(monkeypatch: pytest.MonkeyPatch) -> Iterator[Crowd]:
    crowd = Crowd(monkeypatch)
    yield crowd
    crowd.go.set()


def query(sql: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


@contextmanager
def locked(sql: str) -> Iterator[None]:
    """Somebody else holds a lock."""
    with psycopg.connect(**connection.get_connection_params() | {"autocommit": False}) as other:
        other.execute(sql.encode())
        yield
        other.rollback()


async def all_are_free() -> None:
    """Wait until every thread takes work again."""
    everyone = threading.Barrier(mcp_settings().THREADS)
    await asyncio.gather(
        *(thread_pool.in_pool(lambda: everyone.wait(30)) for _ in range(everyone.parties))
    )


@pytest.fixture
def _watchful(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is late is cancelled at once."""
    monkeypatch.setattr(thread_pool, "TICK_SECONDS", 0.05)
    monkeypatch.setattr(thread_pool, "LATE_SECONDS", 0.1)


@pytest.mark.usefixtures("_watchful")
@pytest.mark.parametrize("era", [MODERN, LEGACY])
def test_look_up_of_a_token_that_hangs(secret: str, settings: Any, era: str) -> None:
    """It is in no transaction of ours, so PostgreSQL itself would let it wait for ever."""

    async def steps(agent: Agent) -> None:
        await agent("list_actions")
        with locked(TOKENS):
            settings.BOTTLECRM_MCP = with_settings(CALL_SECONDS=1, CONCURRENT_CALLS=1)
            for _ in range(2):
                calls = (agent("list_actions") for _ in range(mcp_settings().THREADS))
                refused = await asyncio.gather(*calls, return_exceptions=True)
                assert all("database does not answer" in str(each) for each in refused), refused
            # The lock is still there, and the threads are not.
            await all_are_free()
        settings.BOTTLECRM_MCP = with_settings(CALL_SECONDS=60, CONCURRENT_CALLS=1)
        await agent("list_actions")

    as_agent(secret, steps, era)


@pytest.mark.usefixtures("_watchful")
def test_host_that_waits_outside_of_its_view(
    secret: str, alpha_admin: Profile, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from demo_crm.access.middleware import OrgContextMiddleware

    settings.BOTTLECRM_MCP = with_settings(CALL_SECONDS=60, CONCURRENT_CALLS=1)
    handle = OrgContextMiddleware.__call__

    def slow(self: Any, request: Any) -> Any:
        execution.current_call.get().deadline._until = time.monotonic()
        query("SELECT 1 FROM pg_sleep(60)")
        return handle(self, request)

    monkeypatch.setattr(OrgContextMiddleware, "__call__", slow)

    async def steps(agent: Agent) -> Any:
        errors = [
            await agent.refused("crm_search", entity="leads"),
            await agent.refused("crm_create", **NEW),
        ]
        await all_are_free()
        return errors

    for error in as_agent(secret, steps):
        assert error["code"] == "timeout"
        assert "Nothing was changed" in error["message"]
    with org_context(alpha_admin.org):
        assert not Lead.objects.exists()


def test_write_that_ran_out_of_time_is_recorded(
    secret: str, alpha_admin: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slowly(**facts: Any) -> None:
        query("SELECT 1 FROM pg_sleep(1)")
        record_write(**facts)

    monkeypatch.setattr(mcp_endpoint, "record_write", slowly)
    with locked("LOCK TABLE demo_crm_lead IN ACCESS EXCLUSIVE MODE"):
        error = as_agent(secret, lambda agent: agent.refused("crm_create", **NEW))
    assert error["code"] == "timeout"
    with org_context(alpha_admin.org):
        assert Event.objects.get(kind="write").outcome == "timeout"


def test_cancellations_reach_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """Statements that are cancelled at any moment, beside others that must not be."""
    monkeypatch.setattr(thread_pool, "TICK_SECONDS", 0.001)
    monkeypatch.setattr(thread_pool, "LATE_SECONDS", 0)
    dice = random.Random(1)

    async def late() -> str:
        seconds, allowed = dice.uniform(0, 0.03), dice.uniform(0, 0.03)
        try:
            await thread_pool.in_pool_within(
                lambda: query(f"SELECT 1 FROM pg_sleep({seconds})"), Deadline(allowed), 5
            )
        except OperationalError as problem:
            return type(problem.__cause__).__name__
        except thread_pool.Busy:
            return "busy"
        return "in time"

    async def in_no_hurry() -> str:
        await thread_pool.in_pool_within(
            lambda: query("SELECT 1 FROM pg_sleep(0.003)"), Deadline(60)
        )
        return "undisturbed"

    async def run() -> list[str]:
        # Until the watch has slept its last tick of the usual length.
        await asyncio.sleep(0.6)
        works = [late() if dice.random() < 0.5 else in_no_hurry() for _ in range(600)]
        gently = asyncio.Semaphore(mcp_settings().THREADS)

        async def one(work: Any) -> str:
            async with gently:
                return await work

        return await asyncio.gather(*map(one, works))

    outcomes = asyncio.run(run())
    assert outcomes.count("QueryCanceled")
    assert outcomes.count("undisturbed") > 200
    assert set(outcomes) <= {"QueryCanceled", "undisturbed", "in time", "busy"}


@pytest.mark.usefixtures("_watchful")
def test_connection_of_a_cancelled_statement_is_not_lent_again() -> None:
    used: list[int] = []

    def slow() -> None:
        used.append(query("SELECT pg_backend_pid()"))
        query("SELECT 1 FROM pg_sleep(60)")

    async def run() -> None:
        with pytest.raises(OperationalError):
            await thread_pool.in_pool_within(slow, Deadline(0.1), 30)
        await all_are_free()

    asyncio.run(run())
    assert not query(f"SELECT count(*) FROM pg_stat_activity WHERE pid = {used[0]}")


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with serving(with_mcp(None)) as port:
        yield port


def search(version: str, **meta: Any) -> bytes:
    if version == MODERN:
        prefix = "io.modelcontextprotocol"
        meta |= {f"{prefix}/protocolVersion": version, f"{prefix}/clientCapabilities": {}}
    params = {"name": "crm_search", "arguments": {"entity": "leads"}, "_meta": meta}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    return json.dumps(message).encode()


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("version", [MODERN, "2025-11-25"])
def test_call_counts_when_its_client_has_hung_up(
    port: int, secret: str, crowd: Crowd, settings: Any, version: str, stream: bool
) -> None:
    settings.BOTTLECRM_MCP = with_settings(CONCURRENT_CALLS=1)
    body = search(version, **({"progressToken": 1} if stream else {}))
    headers = (f"MCP-Protocol-Version: {version}", "Mcp-Method: tools/call", "Mcp-Name: crm_search")
    with Wire(port) as wire:
        wire.post(secret, length(body), *headers)
        wire.send(body)
        assert crowd.inside.acquire(timeout=30)
    for _ in range(2):
        with Wire(port) as wire:
            wire.post(secret, length(body), *headers)
            wire.send(body)
            assert wire.answer().status == 429
    crowd.go.set()
    until = time.monotonic() + 30
    status = 429
    while status == 429 and time.monotonic() < until:
        with Wire(port) as wire:
            wire.post(secret, length(body), *headers)
            wire.send(body)
            status = wire.answer().status
    assert status == 200


def test_call_counts_when_nobody_waits_for_it(
    secret: str, crowd: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execution, "GRACE_SECONDS", 0)
    # The cache forgets a slot after minutes; the process knows better.
    monkeypatch.setattr(rate_limits, "SLOT_SECONDS", 1)

    async def steps(agent: Agent) -> None:
        assert (await agent.refused("crm_search", entity="leads"))["code"] == "timeout"
        with pytest.raises(Exception, match="may have 1 running"):
            await agent("list_actions")
        crowd.go.set()
        await all_are_free()
        await agent("list_actions")

    as_agent(secret, steps)


def test_slot_is_released_by_who_has_it() -> None:
    request, other = rate_limits.Slot(), rate_limits.Slot()
    assert request.take("a")
    assert request.hold()
    # The client is gone, but not the thread.
    assert not request.leave()
    assert not other.take("a")
    request.release()
    assert other.take("a")
    # Here no thread had begun.
    assert other.leave()
    assert not other.hold()
    other.release()
    assert rate_limits.Slot().take("a")


def test_slot_that_is_had_too_late_is_given_back() -> None:
    late = rate_limits.Slot()
    assert not late.leave()
    late.take("a")
    assert rate_limits.Slot().take("a")


def test_what_waits_for_a_thread_does_not_begin_once_nobody_waits() -> None:
    let_go, done = threading.Event(), []

    async def run() -> None:
        for _ in range(mcp_settings().THREADS):
            thread_pool.submit(let_go.wait)
        with pytest.raises(thread_pool.Busy):
            await thread_pool.in_pool_within(lambda: done.append("late"), Deadline(0.01))
        waiting = asyncio.ensure_future(
            thread_pool.in_pool_within(lambda: done.append("left"), Deadline(60))
        )
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        let_go.set()
        await all_are_free()

    asyncio.run(run())
    assert done == []


def test_each_thread_keeps_its_connection_to_the_cache(settings) -> None:
    """Django makes one for each context, which here would be one for each call."""

    def used() -> tuple[int, Any]:
        return threading.get_ident(), caches["default"]

    async def twenty() -> set[tuple[int, Any]]:
        return {await thread_pool.in_pool(used) for _ in range(20)}

    found = asyncio.run(twenty())
    assert len(found) == len({thread for thread, _ in found})
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
    _, now = asyncio.run(thread_pool.in_pool(used))
    assert isinstance(now, DummyCache)
