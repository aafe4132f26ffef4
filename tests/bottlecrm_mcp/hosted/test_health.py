"""What a load balancer asks."""

import asyncio
import threading

import httpx2
import pytest
from django.db import OperationalError

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


def test_database_that_is_down(app, monkeypatch) -> None:
    async def down(work):
        raise OperationalError("no connection to 10.0.0.1")

    monkeypatch.setattr(thread_pool, "in_pool", down)
    response = send(app, method="GET", path="/mcp/healthz", body=b"")
    assert response.status_code == 503
    assert response.json()["status"] == "unavailable"
    assert "10.0.0.1" not in response.text


def test_pool_without_a_free_thread(monkeypatch, settings) -> None:
    """It answers in time, and those who ask meanwhile don't queue."""
    monkeypatch.setattr(health, "SECONDS", 0.05)
    queries = []
    monkeypatch.setattr(health, "_query", lambda: queries.append(1))
    application = asgi.with_mcp(other_application)
    free = threading.Event()

    async def ask(client: httpx2.AsyncClient) -> int:
        return (await client.get("/mcp/healthz")).status_code

    async def run() -> list[int]:
        threads = mcp_settings().THREADS
        busy = [asyncio.ensure_future(thread_pool.in_pool(free.wait)) for _ in range(threads)]
        await asyncio.sleep(0)
        transport = httpx2.ASGITransport(application)
        async with httpx2.AsyncClient(transport=transport, base_url="http://10.0.0.7") as client:
            statuses = [await ask(client), await ask(client), await ask(client)]
            free.set()
            await asyncio.gather(*busy)
            monkeypatch.setattr(health, "SECONDS", 30)
            return [*statuses, await ask(client)]

    assert asyncio.run(run()) == [503, 503, 503, 200]
    assert len(queries) <= 2
