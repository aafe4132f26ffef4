"""What a token may write is decided when it is written, however long its call has waited."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from mcp.shared.exceptions import MCPError

from bottlecrm_mcp import asgi
from bottlecrm_mcp.conf import mcp_settings
from bottlecrm_mcp.gateway.in_process import transactions
from bottlecrm_mcp.gateway.in_process.gateway import InProcessGateway
from bottlecrm_mcp.hosted import rate_limits, thread_pool
from bottlecrm_mcp.hosted.admission import PERMISSIONS_CHANGED
from bottlecrm_mcp.hosted.authentication import authenticate
from demo_crm.access.row_security import org_context
from demo_crm.models import Lead, Profile
from pat_tokens.models import Event
from pat_tokens.services.policy import AGENTS_OFF, AGENTS_READ_ONLY
from tests.agent import MODERN, Agent, Person, as_agent, connected
from tests.bottlecrm_mcp.hosted.http import bearer, send
from tests.bottlecrm_mcp.hosted.withdrawal import (
    Withdrawal,
    deactivate_member,
    deactivate_organisation,
    deactivate_user,
    demote,
    expire,
    forbid_agents,
    forbid_writes,
    narrow,
    revoke,
    seal,
    stop,
)
from tests.bottlecrm_mcp.population import with_settings
from tests.bottlecrm_mcp.test_telemetry import message

NEW = {"entity": "leads", "data": {"first_name": "Ann", "last_name": "Lee"}}
NOT_VALID = "This token is not valid"
REFUSED: dict[Withdrawal, tuple[str, str]] = {
    revoke: ("unauthorized", NOT_VALID),
    expire: ("unauthorized", NOT_VALID),
    deactivate_member: ("unauthorized", NOT_VALID),
    deactivate_user: ("unauthorized", NOT_VALID),
    deactivate_organisation: ("unauthorized", NOT_VALID),
    forbid_agents: ("policy", AGENTS_OFF),
    stop: ("policy", "An administrator has stopped all"),
    forbid_writes: ("policy", AGENTS_READ_ONLY),
    demote: ("conflict", PERMISSIONS_CHANGED),
    narrow: ("conflict", PERMISSIONS_CHANGED),
    seal: ("conflict", PERMISSIONS_CHANGED),
}


@pytest.fixture(autouse=True)
def _empty_cache() -> None:
    cache.clear()


@pytest.fixture
def secret(token_for: Any, alpha_admin: Profile) -> str:
    return token_for(alpha_admin)


def leads(person: Profile) -> int:
    with org_context(person.org):
        return Lead.objects.count()


@contextmanager
def just_before_a_write(work: Any) -> Iterator[None]:
    """Do this when a tool has read all that it needs, and is about to write."""
    write = InProcessGateway.write

    def after_work(self: Any, *arguments: Any, **options: Any) -> Any:
        work()
        return write(self, *arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(InProcessGateway, "write", after_work)
        yield


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("withdraw", REFUSED)
def test_withdrawn_since_the_call_began(
    secret: str, alpha_admin: Profile, withdraw: Withdrawal
) -> None:
    with just_before_a_write(lambda: withdraw(alpha_admin)):
        error = as_agent(secret, lambda agent: agent.refused("crm_create", **NEW))
    code, said = REFUSED[withdraw]
    assert error["code"] == code
    assert error["message"].startswith(said)
    assert error["message"].endswith("Nothing was changed.")
    assert leads(alpha_admin) == 0
    with org_context(alpha_admin.org):
        assert Event.objects.get(kind="write").outcome == code


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("tool", ["crm_update", "crm_delete", "crm_action"])
def test_every_tool_that_writes(secret: str, alpha_admin: Profile, tool: str) -> None:
    with org_context(alpha_admin.org):
        lead = Lead.objects.create(org=alpha_admin.org, last_name="A")
    calls: dict[str, dict[str, Any]] = {
        "crm_update": {"data": {"title": "CTO"}},
        "crm_delete": {"confirm": True},
        "crm_action": {"action": "add_comment", "params": {"comment": "x"}},
    }
    with just_before_a_write(lambda: revoke(alpha_admin)):
        error = as_agent(
            secret,
            lambda agent: agent.refused(tool, entity="leads", id=str(lead.pk), **calls[tool]),
        )
    assert error["code"] == "unauthorized"
    with org_context(alpha_admin.org):
        assert Lead.objects.values_list("title", flat=True).get() in ("", None)


@pytest.mark.django_db(transaction=True)
def test_revoked_while_it_waits_for_a_slot(
    secret: str, alpha_admin: Profile, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.BOTTLECRM_MCP = with_settings(CONCURRENT_CALLS=1)
    running, user_id = rate_limits.Slot(), authenticate(secret).user_id
    wait_for = rate_limits.wait_for

    async def revoked_meanwhile(*arguments: Any) -> None:
        await thread_pool.in_pool(lambda: revoke(alpha_admin))
        running.release()
        await wait_for(*arguments)

    monkeypatch.setattr(rate_limits, "wait_for", revoked_meanwhile)

    async def steps(agent: Agent) -> Any:
        assert running.take(user_id)
        return await agent.refused("crm_create", **NEW)

    assert as_agent(secret, steps)["code"] == "unauthorized"
    assert leads(alpha_admin) == 0


@pytest.mark.django_db(transaction=True)
def test_revoked_while_it_waits_for_a_thread(
    secret: str, alpha_admin: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_go = threading.Event()
    in_time = thread_pool.in_pool_within

    async def crowded(work: Any, *arguments: Any) -> Any:
        if work.__name__ == "run":
            await thread_pool.in_pool(lambda: revoke(alpha_admin))
            for _ in range(mcp_settings().THREADS):
                thread_pool.submit(let_go.wait)
            asyncio.get_running_loop().call_later(0.1, let_go.set)
        return await in_time(work, *arguments)

    monkeypatch.setattr(thread_pool, "in_pool_within", crowded)
    error = as_agent(secret, lambda agent: agent.refused("crm_create", **NEW))
    assert error["code"] == "unauthorized"
    assert leads(alpha_admin) == 0


@pytest.mark.django_db(transaction=True)
def test_revoked_while_a_person_reads_the_form(secret: str, alpha_admin: Profile) -> None:
    with org_context(alpha_admin.org):
        lead = Lead.objects.create(org=alpha_admin.org, last_name="A")

    class Revoking(Person):
        async def __call__(self, context: Any, params: Any) -> Any:
            await thread_pool.in_pool(lambda: revoke(alpha_admin))
            return await super().__call__(context, params)

    async def steps() -> None:
        person = Revoking()
        async with connected(asgi.with_mcp(None), secret, MODERN, person) as agent:
            with pytest.raises(MCPError):
                await agent("crm_delete", entity="leads", id=str(lead.pk))
        assert person.read

    asyncio.run(steps())
    assert leads(alpha_admin) == 1


@pytest.mark.parametrize(("tool", "times"), [("crm_search", 1), ("crm_create", 2)])
def test_look_ups_of_a_call(
    app: Any, secret: str, tool: str, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A read is content with that of its admission; all that a write takes share another one."""
    # However long the write takes.
    monkeypatch.setattr(transactions, "LOOK_AGAIN_SECONDS", 600)
    arguments = NEW if tool == "crm_create" else {"entity": "leads"}
    headers = bearer(secret)
    # Its first use is recorded.
    send(app, headers=headers)
    with CaptureQueriesContext(connection) as captured:
        answer = send(app, headers=headers, body=message(tool, **arguments)).json()
    assert not answer["result"]["isError"]
    looked_up = [each["sql"] for each in captured if '"pat_tokens_token"."digest" =' in each["sql"]]
    assert len(looked_up) == times, looked_up


def test_what_changes_after_the_write_is_for_the_next_call(
    app: Any, secret: str, alpha_admin: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = InProcessGateway.write

    def then_revoked(self: Any, *arguments: Any, **options: Any) -> Any:
        reply = write(self, *arguments, **options)
        revoke(alpha_admin)
        return reply

    monkeypatch.setattr(InProcessGateway, "write", then_revoked)
    answer = send(app, headers=bearer(secret), body=message("crm_create", **NEW))
    assert answer.json()["result"]["structuredContent"]["record"]["last_name"] == "Lee"
    assert leads(alpha_admin) == 1
    assert send(app, headers=bearer(secret)).status_code == 401
