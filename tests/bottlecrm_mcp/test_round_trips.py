"""Round trips to PostgreSQL that a call takes, which bound what it can cost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from django.db import connection

from bottlecrm_mcp.asgi import with_mcp
from bottlecrm_mcp.gateway.in_process import deadline, transactions
from demo_crm.access.row_security import org_context
from demo_crm.models import Invoice, Lead, Solution
from tests.bottlecrm_mcp.hosted.http import JSON, LIST_TOOLS, ORIGIN, bearer
from tests.conftest import resetting
from tests.round_trips import round_trips

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def trips(
    alpha: Any, token_for: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., int]:
    """Of a call that another like it has gone before, however long it takes.

    `each` gives the arguments in which they differ.
    """
    monkeypatch.setattr(transactions, "LOOK_AGAIN_SECONDS", 600)
    monkeypatch.setattr(deadline, "SLACK", 600)
    headers = {**JSON, **bearer(token_for(alpha.admin))}

    async def call(tool: str, arguments: Any) -> Any:
        body = {**LIST_TOOLS, "method": "tools/call"}
        body["params"] = {"name": tool, "arguments": arguments}
        transport = httpx2.ASGITransport(with_mcp(None))
        async with httpx2.AsyncClient(transport=transport, base_url=ORIGIN) as client:
            answer = (await client.post("/mcp", json=body, headers=headers)).json()
        assert not answer["result"].get("isError"), answer

    def count(tool: str, each: Callable[[], dict[str, Any]] = dict, **arguments: Any) -> int:
        def made() -> int:
            with round_trips() as trips:
                asyncio.run(call(tool, {**arguments, **each()}))
                wait_for_the_pool()
            return trips.count

        # What is done once for a process or connection is done by then, such as preparing; and a
        # thread that waits for the other half of a call for long gives its connection back.
        return min([made() for _ in range(4)][2:])

    return count


def wait_for_the_pool() -> None:
    """Until it has reset what came back to it, which are round trips too."""
    connection.close()
    until = time.monotonic() + 30
    while resetting() and time.monotonic() < until:
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("tool", "arguments", "most"),
    [
        ("crm_search", {"entity": "leads", "limit": 5}, 7),
        ("crm_search", {"entity": "all", "query": "a"}, 28),
        ("crm_search", {"entity": "my_day"}, 13),
        ("list_actions", {}, 2),
    ],
)
def test_read(trips: Callable[..., int], tool: str, arguments: dict[str, Any], most: int) -> None:
    assert trips(tool, **arguments) <= most


def test_writes(trips: Callable[..., int], alpha: Any) -> None:
    with org_context(alpha.org):
        lead = Lead.objects.filter(status="assigned").first()
        invoice = Invoice.objects.first()
        ids = iter([str(pk) for pk in Solution.objects.values_list("pk", flat=True)])
    assert lead is not None
    assert invoice is not None
    assert trips("crm_create", entity="leads", data={"last_name": "Late"}) <= 17
    assert trips("crm_update", entity="leads", id=str(lead.pk), data={"city": "Pune"}) <= 18
    comment = {"action": "add_comment", "params": {"comment": "Called."}}
    assert trips("crm_action", entity="invoices", id=str(invoice.pk), **comment) <= 16
    assert trips("crm_delete", lambda: {"id": next(ids)}, entity="solutions", confirm=True) <= 22
