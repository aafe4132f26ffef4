"""What a load balancer asks."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from typing import Any, cast

import httpx2
import pytest
from django.db import connection, connections

from bottlecrm_mcp import asgi
from bottlecrm_mcp.conf import mcp_settings
from bottlecrm_mcp.hosted import health, thread_pool
from tests.bottlecrm_mcp.conftest import other_application
from tests.bottlecrm_mcp.hosted.http import send


@pytest.mark.parametrize("path", ["/mcp/healthz", "/mcp/healthz/"])
@pytest.mark.parametrize(
    "headers", [{}, {"Host": "10.0.0.7:8000"}, {"Origin": "https://evil.example"}]
)
def test_healthy_whoever_asks(app, db, path, headers) -> None:
    response = send(app, method="GET", path=path, headers=headers, body=b"")
    assert response.status_code == 200
    assert response.json() == {"status": "ok"}
    assert response.headers["Cache-Control"] == "no-store"


def test_head(app, db) -> None:
    assert send(app, method="HEAD", path="/mcp/healthz", body=b"").status_code == 200


def test_other_methods(app) -> None:
    response = send(app, path="/mcp/healthz")
    assert response.status_code == 405
    assert response.headers["Allow"] == "GET, HEAD"


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """What stands where the database was: a socket that takes no connection, until it listens."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        where = connections.settings["default"]
        monkeypatch.setitem(where, "HOST", "127.0.0.1")
        monkeypatch.setitem(where, "PORT", str(other.getsockname()[1]))
        yield other


def test_database_that_is_down(app, database) -> None:
    response = send(app, method="GET", path="/mcp/healthz", body=b"")
    assert response.status_code == 503
    assert response.json()["status"] == "unavailable"
    assert "127.0.0.1" not in response.text


def test_database_that_is_silent(app, database, monkeypatch) -> None:
    monkeypatch.setattr(health, "SECONDS", 0.1)
    database.listen()
    assert send(app, method="GET", path="/mcp/healthz", body=b"").status_code == 503


def test_those_who_ask_at_once_share_a_query(database, monkeypatch) -> None:
    monkeypatch.setattr(health, "SECONDS", 0.1)
    database.listen()
    probe = health.Probe()
    queries = {probe.start() for _ in range(5)}
    assert [each.result() for each in queries] == [False]


def test_connection_that_the_database_has_ended(db) -> None:
    probe = health.Probe()
    assert probe.start().result()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s",
            [health.NAME],
        )
    assert probe.start().result()


def test_it_does_not_wait_behind_calls(db) -> None:
    """All threads of the pool are held, and all connections."""
    application = asgi.with_mcp(other_application)
    free, pool = threading.Event(), cast(Any, connection).pool
    borrowed = [pool.getconn() for _ in range(pool.max_size - 1)]

    async def ask(client: httpx2.AsyncClient) -> int:
        return (await client.get("/mcp/healthz")).status_code

    async def run() -> list[int]:
        threads = mcp_settings().THREADS
        busy = [asyncio.ensure_future(thread_pool.in_pool(free.wait)) for _ in range(threads)]
        await asyncio.sleep(0)
        transport = httpx2.ASGITransport(application)
        async with httpx2.AsyncClient(transport=transport, base_url="http://10.0.0.7") as client:
            statuses = await asyncio.gather(*(ask(client) for _ in range(3)))
        free.set()
        await asyncio.gather(*busy)
        return statuses

    try:
        assert asyncio.run(run()) == [200] * 3
    finally:
        for each in borrowed:
            pool.putconn(each)
