"""What the token app adds at /mcp, and that the endpoint works without it."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from django.core.asgi import get_asgi_application
from django.core.cache import cache
from django.db import connection

from bottlecrm_mcp.asgi import with_mcp
from bottlecrm_mcp.conf import mcp_settings
from bottlecrm_mcp.hosted import authentication, token_policy
from demo_crm.access.row_security import org_context
from demo_crm.models import Lead, Profile
from pat_tokens.models import Event, Token
from pat_tokens.resolver import resolve_token
from pat_tokens.services.policy import AGENTS_OFF, AGENTS_READ_ONLY, change_policy
from tests.host_tokens.models import HostToken, issue_host_token

pytestmark = pytest.mark.django_db(transaction=True)

Answer = tuple[int, Any]


@pytest.fixture(autouse=True)
def _fresh_cache() -> None:
    cache.clear()


def send(path: str, body: Any, secret: str = "", method: str = "POST") -> httpx2.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {
        "Content-Type": "application/json",
        "Accept": "application/json, text/event-stream",
        "User-Agent": "Claude/1.0",
    }
    if secret:
        headers["Authorization"] = f"Bearer {secret}"

    async def request() -> httpx2.Response:
        transport = httpx2.ASGITransport(
            with_mcp(get_asgi_application()), client=("203.0.113.7", 9)
        )
        async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.request(method, path, content=content, headers=headers)

    return asyncio.run(request())


def rpc(secret: str, method: str, **params: Any) -> httpx2.Response:
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    return send("/mcp", message, secret)


def call(secret: str, tool: str, **arguments: Any) -> dict[str, Any]:
    result = rpc(secret, "tools/call", name=tool, arguments=arguments).json()["result"]
    return json.loads(result["content"][0]["text"])


def writes(profile: Profile) -> list[Event]:
    with org_context(profile.org):
        return list(Event.objects.filter(kind="write").order_by("created_at"))


def create_lead(secret: str, **fields: Any) -> dict[str, Any]:
    data = {"first_name": "Ann", "last_name": "Lee", "email": "ann@example.com", **fields}
    return call(secret, "crm_create", entity="leads", data=data)


@pytest.fixture(params=["ours", "host"])
def secret_of(
    request: pytest.FixtureRequest, token_for: Callable[..., str], monkeypatch: Any
) -> Callable[[Profile], str]:
    """A token of each kind; the host's is known to a resolver, as BottleCRM's is."""
    if request.param == "ours":
        return token_for
    rows: dict[str, Any] = {}

    def issue(profile: Profile) -> str:
        row, secret = issue_host_token(profile)
        rows[secret] = row
        return secret

    monkeypatch.setattr(authentication, "token_resolvers", lambda: [rows.__getitem__])
    return issue


def test_agents_off(secret_of, alpha_admin) -> None:
    secret = secret_of(alpha_admin)
    assert rpc(secret, "tools/list").status_code == 200
    change_policy(alpha_admin, agents="off")
    answer = rpc(secret, "tools/list")
    assert (answer.status_code, answer.json()) == (403, {"error": AGENTS_OFF})


def test_read_only_offers_no_writing_tools(secret_of, alpha_admin) -> None:
    secret = secret_of(alpha_admin)
    change_policy(alpha_admin, agents="read_only")
    tools = {tool["name"] for tool in rpc(secret, "tools/list").json()["result"]["tools"]}
    assert "crm_search" in tools
    assert not tools & {"crm_create", "crm_update", "crm_delete"}


def test_read_only_refuses_a_write_that_is_tried_anyway(token_for, alpha_admin) -> None:
    secret = token_for(alpha_admin)
    change_policy(alpha_admin, agents="read_only")
    answer = create_lead(secret)
    assert answer["error"]["code"] == "policy"
    assert AGENTS_READ_ONLY in answer["error"]["message"]
    with org_context(alpha_admin.org):
        assert not Lead.objects.exists()
    (event,) = writes(alpha_admin)
    assert (event.tool, event.record_id, event.outcome) == ("crm_create", "", "policy")


def test_read_only_leaves_nothing_of_a_token_that_only_writes(token_for, alpha_admin) -> None:
    secret = token_for(alpha_admin, scopes=["leads:write"])
    change_policy(alpha_admin, agents="read_only")
    answer = rpc(secret, "tools/list")
    assert (answer.status_code, answer.json()) == (403, {"error": AGENTS_READ_ONLY})


def test_sealed_confirmation_by_policy(token_for, alpha_admin) -> None:
    secret = token_for(alpha_admin)
    lead = create_lead(secret)["id"]
    change_policy(alpha_admin, confirmation="sealed")
    asked = call(secret, "crm_delete", entity="leads", id=lead, confirm=True)
    assert asked["confirmation_required"] is True
    confirmed = call(
        secret,
        "crm_delete",
        entity="leads",
        id=lead,
        confirm=True,
        confirmation=asked["confirmation"],
    )
    assert confirmed["deleted"] is True


def test_one_entry_for_each_write(token_for, alpha_user) -> None:
    secret = token_for(alpha_user, name="Agent")
    lead = create_lead(secret, last_name="Confidential")["id"]
    call(secret, "crm_update", entity="leads", id=lead, data={"title": "Boss"})
    call(secret, "crm_search", entity="leads")
    call(secret, "crm_delete", entity="leads", id=lead)
    call(secret, "crm_delete", entity="leads", id=lead, confirm=True)
    call(secret, "crm_update", entity="leads", id=lead, data={"title": "Boss"})
    entries = writes(alpha_user)
    assert [(each.tool, each.outcome) for each in entries] == [
        ("crm_create", "done"),
        ("crm_update", "done"),
        ("crm_delete", "done"),
        ("crm_update", "not_found"),
    ]
    token = resolve_token(secret)
    for each in entries:
        assert (each.actor, each.token_id) == (alpha_user.user.email, token.pk)
        assert (each.token_name, each.token_prefix) == ("Agent", token.prefix)
        assert (each.entity, each.record_id) == ("leads", lead)
        assert (each.client, each.address) == ("Claude/1.0", "203.0.113.7")
        assert "Confidential" not in str(vars(each))


def test_refused_writes_do_not_flood_the_log(token_for, alpha_user, monkeypatch) -> None:
    # Its first use, from an address that is new, is one of them.
    monkeypatch.setattr("pat_tokens.audit.events.ENTRIES_PER_MINUTE", 3)
    secret = token_for(alpha_user)
    for number in range(5):
        call(secret, "crm_update", entity="leads", id=f"nobody {number}", data={"title": "Boss"})
    create_lead(secret)
    assert [each.outcome for each in writes(alpha_user)] == ["not_found", "not_found", "done"]
    with org_context(alpha_user.org):
        assert sum(each.times for each in Event.objects.counted().filter(kind="refused")) == 3


def test_entry_for_a_token_of_the_host(secret_of, alpha_user) -> None:
    create_lead(secret_of(alpha_user))
    (entry,) = writes(alpha_user)
    assert entry.token_name in ("test", "Older")


def test_no_write_without_its_entry(token_for, alpha_user, monkeypatch) -> None:
    from django.db import DatabaseError

    def fail(**facts: Any) -> None:
        raise DatabaseError("no space left")

    secret = token_for(alpha_user)
    lead = create_lead(secret)["id"]
    monkeypatch.setattr("pat_tokens.mcp_endpoint.record_write", fail)
    error = create_lead(secret, email="bob@example.com")["error"]
    assert error["code"] == "unavailable"
    assert "nothing was changed" in error["message"]
    error = call(secret, "crm_update", entity="leads", id=lead, data={"title": "Boss"})["error"]
    assert error["code"] == "unavailable"
    with org_context(alpha_user.org):
        assert Lead.objects.get().title != "Boss"


def test_entry_is_as_old_as_the_write(token_for, alpha_user) -> None:
    """It was made in the same transaction, so that neither is there without the other."""
    create_lead(token_for(alpha_user))
    with org_context(alpha_user.org), connection.cursor() as cursor:
        cursor.execute(
            "SELECT event.xmin::text = lead.xmin::text FROM demo_crm_lead lead, "
            "pat_tokens_event event WHERE event.record_id = lead.id::text"
        )
        assert cursor.fetchall() == [(True,)]


def test_entry_names_the_fields_that_changed(token_for, alpha_user) -> None:
    secret = token_for(alpha_user)
    lead = create_lead(secret, title="Boss")["id"]
    data = {"title": "Boss", "city": "Pune", "assigned_to": ["me"]}
    call(secret, "crm_update", entity="leads", id=lead, data=data)
    write_only = token_for(alpha_user, scopes=["leads:write"])
    call(write_only, "crm_update", entity="leads", id=lead, data={"city": "Goa"})
    call(secret, "crm_update", entity="leads", id=lead, data={"city": "Goa"})
    _, first, second, third = writes(alpha_user)
    assert (first.detail, second.detail) == ("city, assigned_to", "city")
    assert (third.outcome, third.detail) == ("done", "")


def test_entry_names_the_action(token_for, alpha_user) -> None:
    secret = token_for(alpha_user)
    lead = create_lead(secret)["id"]
    acted_on = {"entity": "leads", "id": lead}
    comment = {"comment": "Confidential"}
    call(secret, "crm_action", **acted_on, action="add_comment", params=comment)
    call(secret, "crm_action", **acted_on, action="add_comment", params={})
    call(secret, "crm_action", **acted_on, action="Confidential")
    _, *entries = writes(alpha_user)
    assert [(each.outcome, each.detail) for each in entries] == [
        ("done", "add_comment"),
        ("invalid_value", "add_comment"),
        ("unknown_action", ""),
    ]


def test_first_request_and_last_refusal_are_remembered(token_for, alpha_admin) -> None:
    secret = token_for(alpha_admin)
    assert resolve_token(secret).first_mcp_at is None
    rpc(secret, "tools/list")
    first = resolve_token(secret).first_mcp_at
    assert first is not None
    rpc(secret, "tools/list")
    assert resolve_token(secret).first_mcp_at == first
    change_policy(alpha_admin, agents="off")
    rpc(secret, "tools/list")
    token = resolve_token(secret)
    assert token.last_refusal == AGENTS_OFF
    assert token.last_refused_at > first


def test_refusals_are_logged_once_a_minute(token_for, alpha_admin) -> None:
    secret = token_for(alpha_admin)
    change_policy(alpha_admin, agents="off")
    for _ in range(3):
        rpc(secret, "tools/list")
    with org_context(alpha_admin.org):
        (event,) = Event.objects.filter(kind="refused")
    assert (event.detail, event.address) == (AGENTS_OFF, "203.0.113.7")


def test_leaked_token_is_revoked_by_its_finder(token_for, alpha_user) -> None:
    secret = token_for(alpha_user)
    answer = send("/mcp/revoke", {"token": secret})
    assert (answer.status_code, answer.json()) == (200, {"revoked": True})
    assert rpc(secret, "tools/list").status_code == 401
    with org_context(alpha_user.org):
        assert Token.objects.get().status == "revoked"


@pytest.mark.parametrize(
    ("method", "body", "status"),
    [("GET", b"", 405), ("POST", b"{}", 400), ("POST", b" " * 5000, 413)],
)
def test_bad_report(method, body, status) -> None:
    assert send("/mcp/revoke", body, method=method).status_code == status


class WithoutTokenApp:
    @staticmethod
    def is_installed(name: str) -> bool:
        return name != "pat_tokens"


@pytest.fixture
def _no_token_app(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_policy, "apps", WithoutTokenApp)


@pytest.mark.usefixtures("_no_token_app")
def test_without_the_token_app(token_for, alpha_admin) -> None:
    secret = token_for(alpha_admin)
    change_policy(alpha_admin, agents="off")
    assert rpc(secret, "tools/list").status_code == 200
    assert send("/mcp/revoke", {"token": secret}).status_code == 404
    assert mcp_settings().CONFIRMATION == "explicit"


SEEN = [
    ("initialize", {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {
        "name": "thief", "version": "1"}}),
    ("tools/list", {}),
    ("resources/read", {"uri": "crm://me"}),
    ("prompts/list", {}),
    ("tools/call", {"name": "nothing", "arguments": {}}),
    ("no/such/method", {}),
]  # fmt: skip


@pytest.mark.parametrize(("method", "params"), SEEN, ids=[method for method, _ in SEEN])
@pytest.mark.parametrize("refused", [False, True])
def test_every_request_is_a_use(
    token_for, alpha_admin, alpha_user, method, params, refused
) -> None:
    """Whoever reads only what the server knows by itself is seen, too."""
    secret = token_for(alpha_user)
    if refused:
        change_policy(alpha_admin, agents="off")
    rpc(secret, method, **params)
    token = resolve_token(secret)
    assert token.last_used_at is not None
    with org_context(alpha_user.org):
        assert Event.objects.filter(kind="new_address", token_id=token.pk).count() == 1


def test_use_of_a_token_of_the_host(secret_of, alpha_user) -> None:
    rpc(secret_of(alpha_user), "tools/list")
    with org_context(alpha_user.org):
        tokens: list[Any] = [*Token.objects.all(), *HostToken.objects.all()]
        (used,) = tokens
    assert used.last_used_at is not None
