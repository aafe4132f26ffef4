"""The official client against a running server, in both eras of the protocol."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import httpx2
import mcp_types as types
import pytest
from django.db import connection
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError

from bottlecrm_mcp.asgi import with_mcp
from bottlecrm_mcp.conf import mcp_settings
from bottlecrm_mcp.tools.registry import Registry
from demo_crm.access.row_security import org_context
from pat_tokens.models import Token
from tests.agent import text_of
from tests.bottlecrm_mcp.hosted.live import serving
from tests.bottlecrm_mcp.population import UNKNOWN_ID, populate, rest_record, unchanged
from tests.kept import kept

MODES = ("legacy", "2026-07-28")

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    from settings.asgi import django_application

    with serving(with_mcp(django_application)) as port:
        yield f"http://127.0.0.1:{port}/mcp"


@pytest.fixture
def session(address) -> Callable[..., Any]:
    """Runs `work` with a connected client."""

    def run(
        secret: str, work: Callable[[Client], Awaitable[Any]], mode: str = "auto", **options: Any
    ) -> Any:
        async def connected() -> Any:
            headers = {"Authorization": f"Bearer {secret}"}
            async with (
                httpx2.AsyncClient(headers=headers, timeout=20) as http,
                Client(
                    streamable_http_client(address, http_client=http), mode=mode, **options
                ) as client,
            ):
                return await work(client)

        return asyncio.run(connected())

    return run


@pytest.fixture
def alpha(two_orgs):
    return kept(populate, two_orgs.alpha_admin, two_orgs.alpha_user)


async def call(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    """The structured result, which the text says too."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    assert json.loads(text_of(result)) == result.structured_content
    return result.structured_content


async def error(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    result = await client.call_tool(tool, arguments)
    assert result.is_error
    assert result.structured_content is None
    return json.loads(text_of(result))["error"]


@pytest.mark.parametrize("mode", MODES)
def test_show_my_open_leads_this_week(session, token_for, alpha, mode) -> None:
    async def work(client):
        filters = {
            "assigned_to": "me",
            "created_at": "this_week",
            "status": ["assigned", "in process"],
        }
        return await call(client, "crm_search", entity="leads", filters=filters)

    answer = session(token_for(alpha.user), work, mode)
    assert answer["filters"]["assigned_to"]["name"] == "Alpha User"
    assert set(answer["filters"]) >= {"created_at__gte", "created_at__lte"}
    monday, sunday = answer["filters"]["created_at__gte"], answer["filters"]["created_at__lte"]
    mine = {
        str(lead.pk)
        for number, lead in enumerate(alpha.leads)
        if number % 3 == 2
        and lead.status in ("assigned", "in process")
        and monday <= lead.created_at.isoformat() <= sunday
    }
    assert {row["id"] for row in answer["records"]} == mine


@pytest.mark.parametrize("mode", MODES)
def test_create_a_contact_for_acme_corp(session, token_for, api, alpha, mode) -> None:
    async def work(client):
        await call(client, "crm_create", entity="accounts", data={"name": "Acme Corp"})
        data = {"first_name": "Ann", "last_name": "Lee", "account": "Acme Corp"}
        return await call(client, "crm_create", entity="contacts", data=data)

    answer = session(token_for(alpha.user), work, mode)
    contact = rest_record(api(alpha.user), "contacts", answer["id"])
    assert contact["account_detail"]["name"] == "Acme Corp"


@pytest.mark.parametrize("mode", MODES)
def test_convert_that_lead_to_an_opportunity(session, token_for, api, alpha, mode) -> None:
    lead = alpha.leads[2]
    arguments = {"entity": "leads", "id": str(lead.pk), "action": "convert"}

    async def work(client):
        preview = await call(client, "crm_action", **arguments)
        assert preview["confirmation_required"] is True
        assert preview["preview"]["record"]["name"] == f"{lead.first_name} {lead.last_name}"
        confirmation = preview["confirmation"]
        return await call(
            client, "crm_action", **arguments, confirm=True, confirmation=confirmation
        )

    made = session(token_for(alpha.user), work, mode)["result"]
    rest = api(alpha.user)
    assert rest_record(rest, "leads", lead.pk)["status"] == "converted"
    assert rest_record(rest, "accounts", made["account_id"])["name"] == lead.company_name
    assert rest_record(rest, "contacts", made["contact_id"])["email"] == lead.email
    assert rest_record(rest, "opportunities", made["opportunity_id"])["stage"] == "QUALIFICATION"


@pytest.mark.parametrize("mode", ["auto", *MODES])
def test_tools(session, token_for, alpha_user, mode) -> None:
    async def work(client):
        return (await client.list_tools()).tools, client.instructions

    tools, instructions = session(token_for(alpha_user), work, mode)
    registry = Registry(mcp_settings().catalogue)
    assert [tool.name for tool in tools] == [tool.name for tool in registry.tools]
    for tool in tools:
        assert tool.title
        assert tool.description
        hints = tool.annotations
        assert None not in (
            hints.title,
            hints.read_only_hint,
            hints.destructive_hint,
            hints.idempotent_hint,
            hints.open_world_hint,
        )
        for schema in (tool.input_schema, tool.output_schema):
            assert schema["type"] == "object"
            assert not {"anyOf", "oneOf", "allOf"} & keys(schema)
    # A client that is told the revision asks for nothing but what it needs.
    if mode != "2026-07-28":
        assert all(told in instructions for told in ("Alpha User", "USER", "Asia/Kolkata"))


def keys(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value).union(*map(keys, value.values()))
    return set().union(*map(keys, value)) if isinstance(value, list) else set()


def test_tools_of_a_token_that_only_reads(session, token_for, alpha_user) -> None:
    async def work(client):
        return {tool.name for tool in (await client.list_tools()).tools}

    offered = session(token_for(alpha_user, scopes=["*:read"]), work)
    assert offered >= {"crm_search", "crm_get", "crm_describe"}
    assert not offered & {"crm_create", "crm_update", "crm_delete", "crm_action"}


@pytest.mark.parametrize("mode", MODES)
def test_results_fit_the_output_schemas(session, token_for, alpha, mode) -> None:
    from jsonschema import Draft202012Validator

    pk = str(alpha.tasks[1].pk)
    calls: dict[str, dict[str, Any]] = {
        "crm_search": {"entity": "tasks"},
        "crm_get": {"entity": "tasks", "id": pk, "include": ["comments"]},
        "crm_update": {"entity": "tasks", "id": pk, "data": {"status": "Completed"}},
        "crm_delete": {"entity": "tasks", "id": pk},
        "crm_action": {
            "entity": "tasks",
            "id": pk,
            "action": "add_comment",
            "params": {"comment": "x"},
        },
        "crm_create": {
            "entity": "tasks",
            "data": {"title": "T", "status": "New", "priority": "Low"},
        },
        "crm_describe": {"entity": "tasks"},
        "crm_summarize": {"entity": "tasks", "group_by": ["status"]},
        "list_actions": {},
    }

    async def work(client):
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert set(tools) == set(calls)
        for name, arguments in calls.items():
            result = await call(client, name, **arguments)
            Draft202012Validator(tools[name].output_schema).validate(result)

    session(token_for(alpha.user), work, mode)


@pytest.mark.parametrize("mode", MODES)
def test_errors(session, token_for, alpha_user, mode) -> None:
    async def work(client):
        with pytest.raises(MCPError) as refusal:
            await client.call_tool("crm_drop", {})
        assert refusal.value.error.code == types.INVALID_PARAMS
        assert (await error(client, "crm_search", entity="leeds"))["code"] == "unknown_entity"
        assert (await error(client, "crm_search"))["code"] == "invalid_arguments"
        missing = await error(client, "crm_get", entity="leads", id=UNKNOWN_ID)
        assert missing["code"] == "not_found"

    session(token_for(alpha_user), work, mode)


def test_failure_of_the_server_tells_nothing(session, token_for, alpha_user, monkeypatch) -> None:
    from bottlecrm_mcp.gateway.in_process.gateway import InProcessGateway

    def broken(*args, **kwargs):
        raise RuntimeError("SELECT secret FROM demo_crm_lead")

    monkeypatch.setattr(InProcessGateway, "page", broken)

    async def work(client):
        failure = await error(client, "crm_search", entity="leads")
        assert failure == {"code": "internal_error", "message": "The server failed on this call."}

    session(token_for(alpha_user), work)


def test_token_revoked_between_two_calls(session, token_for, alpha_user) -> None:
    secret = token_for(alpha_user)

    def revoke():
        with org_context(alpha_user.org):
            Token.objects.get().revoke()

    async def work(client):
        await call(client, "crm_search", entity="leads")
        await elsewhere(revoke)
        with pytest.raises(MCPError, match="error response"):
            await call(client, "crm_search", entity="leads")

    session(secret, work)


async def elsewhere(work: Callable[[], None]) -> None:
    """Database work beside the client's loop."""

    def closing() -> None:
        work()
        connection.close()

    await asyncio.to_thread(closing)


@pytest.mark.parametrize(
    ("action", "content", "outcome"),
    [
        ("accept", {"confirm": True}, "deleted"),
        ("accept", {"confirm": False}, "declined"),
        ("decline", None, "declined"),
        ("cancel", None, "closed"),
    ],
)
def test_form_decides(session, token_for, alpha, action, content, outcome) -> None:
    task = alpha.tasks[1]
    asked = []

    async def form(context, params):
        asked.append(params.message)
        return types.ElicitResult(action=action, content=content)

    async def work(client):
        # `confirm` is the agent's; where there is a form, the person decides.
        return await call(client, "crm_delete", entity="tasks", id=str(task.pk), confirm=True)

    secret = token_for(alpha.user)
    answer = session(secret, work, "2026-07-28", elicitation_callback=form)
    assert answer.get(outcome, not answer.get("declined")) is True
    assert len(asked) == 1
    assert task.title in asked[0]
    with org_context(alpha.org):
        assert type(task).objects.filter(pk=task.pk).exists() == (outcome != "deleted")


def test_form_that_is_not_needed_is_not_shown(session, token_for, alpha) -> None:
    async def form(context, params):
        raise AssertionError(params.message)

    async def work(client):
        data = {"description": "Changed"}
        pk = str(alpha.leads[1].pk)
        return await call(client, "crm_update", entity="leads", id=pk, data=data)

    answer = session(token_for(alpha.user), work, "2026-07-28", elicitation_callback=form)
    assert answer["changed"]["description"]["after"] == "Changed"


def test_form_answered_about_an_older_state(session, token_for, alpha) -> None:
    task = alpha.tasks[1]
    asked: list[str] = []

    def change():
        with org_context(alpha.org):
            type(task).objects.filter(pk=task.pk).update(title=f"Changed {len(asked)}")

    async def form(context, params):
        asked.append(params.message)
        if len(asked) == 1:
            await elsewhere(change)
        return types.ElicitResult(action="accept", content={"confirm": len(asked) == 1})

    async def work(client):
        return await call(client, "crm_delete", entity="tasks", id=str(task.pk))

    answer = session(token_for(alpha.user), work, "2026-07-28", elicitation_callback=form)
    assert answer["declined"] is True
    assert "Changed 1" in asked[1]


def test_no_secret_in_the_logs(session, token_for, alpha, caplog) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("uvicorn", "uvicorn.access", "uvicorn.error"):
        logging.getLogger(name).propagate = True
    secret = token_for(alpha.user)

    async def work(client):
        await client.list_tools()
        await call(client, "crm_search", entity="leads", query="odd")
        await call(
            client, "crm_action", entity="leads", id=str(alpha.leads[1].pk), action="convert"
        )
        await error(client, "crm_get", entity="leads", id=UNKNOWN_ID)
        await error(client, "crm_get", entity="leads", id=secret[:-1])

    for mode in MODES:
        session(secret, work, mode)
    logged = [
        text
        for record in caplog.records
        # The client's own logs are not the server's.
        if not record.name.startswith(("httpx2", "httpcore2", "mcp.client", "hpack"))
        for text in (record.getMessage(), str(record.__dict__))
    ]
    assert logged
    assert not [text for text in logged if secret in text or secret[13:] in text]


def test_secret_is_not_in_any_answer(session, token_for, alpha_user) -> None:
    secret = token_for(alpha_user)

    async def work(client):
        tools = (await client.list_tools()).model_dump_json()
        described = await call(client, "crm_describe", entity="leads")
        return tools + json.dumps(described) + (client.instructions or "")

    assert secret not in session(secret, work)


def test_nothing_changes_by_looking(session, token_for, alpha) -> None:
    async def work(client):
        for name in ("leads", "invoices"):
            await call(client, "crm_search", entity=name)
            await call(client, "crm_describe", entity=name)
        await call(client, "list_actions")

    with unchanged():
        session(token_for(alpha.user), work)
