"""The limits of a day at /mcp: met in the write's own transaction, which no approval lifts."""

import json
from typing import Any

import mcp_types as types
import pytest

from demo_crm.access.row_security import org_context
from demo_crm.models import Lead, Profile
from pat_tokens.models import DailyCount
from pat_tokens.services.policy import change_policy
from pat_tokens.services.stop import allow_agents, stop_agents
from settings.asgi import application
from tests.agent import LEGACY, Agent, as_agent
from tests.bottlecrm_mcp.hosted.http import bearer, send

pytestmark = pytest.mark.django_db(transaction=True)

NEW = {"entity": "leads", "data": {"first_name": "Ann", "last_name": "Lee"}}


def used(person: Profile) -> dict[str, int]:
    with org_context(person.org):
        return DailyCount.objects.values("writes", "deletes", "mails").first() or {}


def leads(person: Profile) -> int:
    with org_context(person.org):
        return Lead.objects.count()


def test_delete_beyond_the_limit(token_for: Any, alpha_admin: Profile) -> None:
    change_policy(alpha_admin, max_deletes=1)

    async def steps(agent: Agent) -> dict[str, Any]:
        made = [(await agent("crm_create", **NEW))["id"] for _ in range(2)]
        preview = await agent("crm_delete", entity="leads", id=made[1])
        await agent("crm_delete", entity="leads", id=made[0], confirm=True)
        confirmed = {"confirm": True, "confirmation": preview["confirmation"]}
        return await agent.refused("crm_delete", entity="leads", id=made[1], **confirmed)

    error = as_agent(token_for(alpha_admin), steps)
    assert error["code"] == "limit_reached"
    assert "1 of 1 deletes today" in error["message"]
    assert error["message"].endswith("Nothing was changed.")
    assert leads(alpha_admin) == 1
    assert used(alpha_admin) == {"writes": 3, "deletes": 1, "mails": 0}


def test_nobody_is_asked_for_what_is_spent(token_for: Any, alpha_admin: Profile) -> None:
    change_policy(alpha_admin, max_deletes=1)
    with org_context(alpha_admin.org):
        made = [Lead.objects.create(org=alpha_admin.org, last_name="A") for _ in range(3)]
    ids = [str(lead.pk) for lead in made]

    async def steps(agent: Agent) -> list[dict[str, Any]]:
        await agent("crm_delete", entity="leads", id=ids[0], confirm=True)
        update = {"entity": "leads", "ids": ids[1:], "data": {"description": "x"}}
        assert (await agent("crm_update", **update))["confirmation_required"]
        return [
            await agent.refused("crm_delete", entity="leads", **which)
            for which in ({"id": ids[1]}, {"ids": ids[1:]})
        ]

    for error in as_agent(token_for(alpha_admin), steps):
        assert error["code"] == "limit_reached"
        assert "1 of 1 deletes today" in error["message"]


def test_limit_in_the_middle_of_many(token_for: Any, alpha_admin: Profile, calls: Any) -> None:
    change_policy(alpha_admin, max_deletes=2)
    with org_context(alpha_admin.org):
        made = [Lead.objects.create(org=alpha_admin.org, last_name="A") for _ in range(3)]
    ids = [str(lead.pk) for lead in made]

    async def steps(agent: Agent) -> dict[str, Any]:
        preview = await agent("crm_delete", entity="leads", ids=ids)
        told = preview["preview"]["daily_limit"]
        assert told == "deletes left today: 2, and this takes 3"
        confirmed = {"confirm": True, "confirmation": preview["confirmation"]}
        return await agent("crm_delete", entity="leads", ids=ids, **confirmed)

    answer = as_agent(token_for(alpha_admin), steps)
    assert answer["count"] == 2
    assert "2 of 2 deletes today" in answer["not_reached"]["reason"]
    # Two are gone.
    assert "Nothing was changed" not in str(answer)
    assert leads(alpha_admin) == 1
    assert used(alpha_admin)["deletes"] == 2
    preview, done = calls(alpha_admin.org)
    assert (preview.outcome, preview.records) == ("preview", 3)
    assert (done.outcome, done.records) == ("ok", 2)


def test_what_is_not_written_is_not_counted(token_for: Any, alpha_admin: Profile) -> None:
    async def steps(agent: Agent) -> None:
        await agent.refused("crm_create", entity="leads", data={"last_name": "x" * 3000})
        await agent("crm_create", **NEW, idempotency_key="one")
        await agent("crm_create", **NEW, idempotency_key="one")
        await agent("crm_search", entity="leads")

    as_agent(token_for(alpha_admin), steps)
    assert used(alpha_admin)["writes"] == 1


def test_mail_to_an_outsider(token_for: Any, alpha_admin: Profile) -> None:
    change_policy(alpha_admin, max_mails=0)

    async def steps(agent: Agent) -> dict[str, Any]:
        account = {"name": "Acme", "email": "a@example.com"}
        made = await agent("crm_create", entity="accounts", data=account)
        contact = {"first_name": "C", "last_name": "D", "email": "c@example.org"}
        person = await agent("crm_create", entity="contacts", data=contact)
        invoice = await agent(
            "crm_create",
            entity="invoices",
            data={
                "invoice_title": "I",
                "account": made["id"],
                "contact": person["id"],
                "client_name": "C",
                "client_email": "c@example.org",
                "line_items": [{"name": "x", "quantity": 1, "unit_price": 5}],
            },
        )
        send = {"entity": "invoices", "id": invoice["id"], "action": "send"}
        assert await agent.refused("crm_action", **send) == await agent.refused(
            "crm_action", **send, confirm=True
        )
        return await agent.refused("crm_action", **send)

    error = as_agent(token_for(alpha_admin), steps)
    assert "0 of 0 e-mails to people outside today" in error["message"]


def test_told_only_where_little_is_left(token_for: Any, alpha_admin: Profile) -> None:
    secret = token_for(alpha_admin)
    change_policy(alpha_admin, max_writes=5)

    async def me(agent: Agent) -> tuple[Any, str]:
        (read,) = (await agent.client.read_resource("crm://me")).contents
        assert isinstance(read, types.TextResourceContents)
        return json.loads(read.text), agent.client.instructions or ""

    async def write(agent: Agent) -> None:
        for _ in range(4):
            await agent("crm_create", **NEW)

    told, instructions = as_agent(secret, me, LEGACY)
    assert "little_left" not in told
    assert "daily limits" not in instructions
    as_agent(secret, write)
    told, instructions = as_agent(secret, me, LEGACY)
    assert told["little_left"] == ["4 of 5 writes today"]
    assert "4 of 5 writes today" in instructions


def test_stopped_while_a_delete_waits_for_its_confirmation(
    token_for: Any, alpha_admin: Profile
) -> None:
    """The confirmed call is refused with the reason, and made once agents are allowed again."""
    secret = token_for(alpha_admin)
    with org_context(alpha_admin.org):
        lead = str(Lead.objects.create(org=alpha_admin.org, last_name="A").pk)

    def call(**arguments: Any) -> Any:
        params = {
            "name": "crm_delete",
            "arguments": {"entity": "leads", "id": lead, **arguments},
        }
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
        return send(application, headers=bearer(secret), body=body)

    preview = json.loads(call().json()["result"]["content"][0]["text"])
    confirmed = {"confirm": True, "confirmation": preview["confirmation"]}
    stop_agents(alpha_admin, "A laptop is lost")
    refused = call(**confirmed)
    assert refused.status_code == 403
    assert "“A laptop is lost”" in refused.json()["error"]
    assert leads(alpha_admin) == 1
    allow_agents(alpha_admin)
    assert call(**confirmed).status_code == 200
    assert leads(alpha_admin) == 0
