"""A call on several records whose client leaves in the middle."""

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache

from bottlecrm_mcp.asgi import with_mcp
from bottlecrm_mcp.gateway.in_process.gateway import InProcessGateway
from demo_crm.access.row_security import org_context
from demo_crm.models import Task
from tests.bottlecrm_mcp.hosted.live import WAIT_SECONDS, Answer, Wire, length, result, serving

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def port() -> Iterator[int]:
    cache.clear()
    with serving(with_mcp(None)) as port:
        yield port


def sent(wire: Wire, secret: str, meta: Any, **arguments: Any) -> None:
    params = {"name": "crm_delete", "arguments": arguments, "_meta": meta}
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params})
    wire.post(secret, length(body.encode()))
    wire.send(body.encode())


def answered(port: int, secret: str, **arguments: Any) -> Answer:
    with Wire(port) as wire:
        sent(wire, secret, {}, **arguments)
        return wire.answer()


@pytest.mark.parametrize("meta", [{}, {"progressToken": 1}], ids=["json", "stream"])
def test_client_that_leaves_stops_it(
    port: int, token_for: Any, alpha: Any, monkeypatch: pytest.MonkeyPatch, meta: Any
) -> None:
    with org_context(alpha.org):
        for number in range(6):
            values = {"title": f"Old {number}", "status": "New", "priority": "Low"}
            Task.objects.create(org=alpha.org, created_by=alpha.admin.user, **values)
    secret = token_for(alpha.admin)
    call = {"entity": "tasks", "filters": {"title__contains": "Old"}, "idempotency_key": "k"}
    preview = result(answered(port, secret, **call))
    agreed = {**call, "confirm": True, "confirmation": preview["confirmation"]}
    write, writes = InProcessGateway.write, []
    in_the_middle, stopped = threading.Event(), threading.Event()

    def held(gateway: Any, *given: Any, **options: Any) -> Any:
        writes.append(given)
        if len(writes) != 3:
            return write(gateway, *given, **options)
        in_the_middle.set()
        until = time.monotonic() + WAIT_SECONDS
        while gateway.seconds_left() and time.monotonic() < until:
            time.sleep(0.01)
        written = write(gateway, *given, **options)
        stopped.set()
        return written

    monkeypatch.setattr(InProcessGateway, "write", held)
    with Wire(port) as wire:
        sent(wire, secret, meta, **agreed)
        assert in_the_middle.wait(WAIT_SECONDS)
    assert stopped.wait(2 * WAIT_SECONDS)
    rest = result(answered(port, secret, **agreed))
    assert (rest["count"], rest["done_before"]) == (6, 3)
    assert len(writes) == 6
    with org_context(alpha.org):
        assert not Task.objects.filter(title__contains="Old").exists()
