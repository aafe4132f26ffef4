"""After a restart of PostgreSQL, whose connections of before are still in the pool."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.core.cache import cache
from django.db import connection

from bottlecrm_mcp.asgi import with_mcp
from bottlecrm_mcp.conf import mcp_settings
from bottlecrm_mcp.gateway.in_process.live_connection import ensure_live_connection
from bottlecrm_mcp.hosted import thread_pool
from demo_crm.access.row_security import org_context
from demo_crm.models import Lead, Profile
from tests.bottlecrm_mcp.hosted.live import Wire, length, result, serving, tool_call

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with serving(with_mcp(None)) as port:
        yield port


def restart() -> None:
    """End every connection of a full pool, as a restart does."""
    everyone = threading.Barrier(mcp_settings().THREADS)

    def open_one() -> None:
        connection.ensure_connection()
        everyone.wait(30)

    async def fill() -> None:
        await asyncio.gather(*(thread_pool.in_pool(open_one) for _ in range(everyone.parties)))

    asyncio.run(fill())
    connection.close()
    with psycopg.connect(**connection.get_connection_params() | {"autocommit": True}) as other:
        # What comes back to its pool is reset first.
        ended = other.execute(
            "SELECT count(pg_terminate_backend(pid, 30000)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).fetchone()
    assert ended
    assert ended[0] >= everyone.parties


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/mcp", tool_call("crm_search", entity="leads")),
        ("/mcp", tool_call("crm_create", entity="leads", data={"last_name": "First"})),
        ("/mcp/revoke", b'{"token": "bcrm_pat_0123456789"}'),
    ],
)
def test_first_request(
    port: int, token_for: Any, alpha_admin: Profile, path: str, body: bytes
) -> None:
    cache.clear()
    secret = token_for(alpha_admin)
    restart()
    with Wire(port) as wire:
        wire.post(secret, length(body), path=path)
        wire.send(body)
        answer = wire.answer()
    assert answer.status == 200, answer
    assert path == "/mcp/revoke" or "error" not in result(answer)
    # This thread's own may still be as the restart left it.
    ensure_live_connection()
    with org_context(alpha_admin.org):
        assert Lead.objects.count() == (b"crm_create" in body)


def test_health(port: int, db: None) -> None:
    restart()
    with Wire(port) as wire:
        wire.send(b"GET /mcp/healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert wire.answer().status == 200
    # It has a connection of its own, so those of the pool are still as the restart left them.
    ensure_live_connection()


def test_all_calls_at_once(port: int, token_for: Any, alpha_admin: Profile) -> None:
    cache.clear()
    body = tool_call("crm_search", entity="leads")
    wires = [(Wire(port), token_for(alpha_admin)) for _ in range(mcp_settings().THREADS)]
    restart()
    for wire, secret in wires:
        wire.post(secret, length(body))
        wire.send(body)
    for wire, _ in wires:
        with wire:
            assert "error" not in result(wire.answer())
