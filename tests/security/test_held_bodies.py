"""Requests whose body is late: what they may still do, and what they cost the others."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.cache import cache

from bottlecrm_mcp.asgi import with_mcp
from demo_crm.access.row_security import org_context
from demo_crm.models import Lead, Profile
from tests.bottlecrm_mcp.hosted.live import Answer, Wire, length, result, serving, tool_call
from tests.bottlecrm_mcp.hosted.withdrawal import (
    Withdrawal,
    deactivate_member,
    deactivate_organisation,
    deactivate_user,
    demote,
    expire,
    forbid_agents,
    forbid_writes,
    revoke,
)
from tests.bottlecrm_mcp.population import with_settings

pytestmark = pytest.mark.django_db(transaction=True)

CREATE = tool_call("crm_create", entity="leads", data={"last_name": "Held"})
SEARCH = tool_call("crm_search", entity="leads")


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    from settings.asgi import django_application

    with serving(with_mcp(django_application)) as port:
        yield port


@pytest.fixture(autouse=True)
def _empty_cache() -> None:
    cache.clear()


@pytest.fixture
def _one_second(settings: Any) -> None:
    settings.BOTTLECRM_MCP = with_settings(BODY_SECONDS=1)


# By HTTP status, and the code of the tool's error.
REFUSED: dict[Withdrawal, tuple[int, str]] = {
    revoke: (401, ""),
    expire: (401, ""),
    forbid_agents: (403, ""),
    forbid_writes: (200, "policy"),
    deactivate_member: (401, ""),
    deactivate_user: (401, ""),
    deactivate_organisation: (401, ""),
}


def leads(person: Profile) -> int:
    with org_context(person.org):
        return Lead.objects.count()


@pytest.mark.parametrize("withdraw", REFUSED)
def test_what_was_withdrawn_while_the_last_byte_was_held(
    port: int, token_for: Any, alpha_admin: Profile, withdraw: Withdrawal
) -> None:
    secret = token_for(alpha_admin)
    with Wire(port) as wire:
        wire.post(secret, length(CREATE))
        wire.send(CREATE[:-1])
        # Served in order on one thread, so what was sent before has arrived.
        assert call(port, secret, SEARCH).status == 200
        withdraw(alpha_admin)
        wire.send(CREATE[-1:])
        answer = wire.answer()
    status, code = REFUSED[withdraw]
    assert answer.status == status
    assert not code or result(answer)["error"]["code"] == code
    assert leads(alpha_admin) == 0


def test_demotion_while_the_last_byte_was_held(
    port: int, token_for: Any, two_orgs: SimpleNamespace
) -> None:
    admin = two_orgs.alpha_admin
    with org_context(admin.org):
        lead = Lead.objects.create(
            org=admin.org, last_name="A", created_by=two_orgs.alpha_user.user
        )
    secret = token_for(admin)
    body = tool_call("crm_delete", entity="leads", id=str(lead.pk), confirm=True)
    with Wire(port) as wire:
        wire.post(secret, length(body))
        wire.send(body[:-1])
        assert call(port, secret, SEARCH).status == 200
        demote(admin)
        wire.send(body[-1:])
        assert "error" in result(wire.answer())
    assert leads(admin) == 1


def call(port: int, secret: str, body: bytes) -> Answer:
    with Wire(port) as wire:
        wire.post(secret, length(body))
        wire.send(body)
        return wire.answer()


def nothing(wire: Wire) -> None:
    wire.send(b"")


def all_but_one_byte(wire: Wire) -> None:
    wire.send(SEARCH[:-1])


def drop_by_drop(wire: Wire) -> None:
    """A byte at a time, until the server has had enough."""
    for byte in SEARCH[:-1]:
        if wire.has_answer(within=0.1):
            break
        wire.send(bytes([byte]))


def chunks(wire: Wire) -> None:
    wire.send(b"%x\r\n%s\r\n" % (len(SEARCH), SEARCH))


@pytest.mark.usefixtures("_one_second")
@pytest.mark.parametrize("path", ["/mcp", "/mcp/revoke"])
@pytest.mark.parametrize("held", [nothing, all_but_one_byte, drop_by_drop, chunks])
def test_body_that_does_not_come(
    port: int, token_for: Any, alpha_admin: Profile, held: Any, path: str
) -> None:
    size = "Transfer-Encoding: chunked" if held is chunks else length(SEARCH)
    with Wire(port) as wire:
        wire.post(token_for(alpha_admin), size, path=path)
        held(wire)
        answer = wire.answer()
        assert answer.status == 408
        assert "within 1 second" in str(answer.json["error"])
        # What comes late is not taken for another request.
        assert answer.headers["connection"] == "close"
        assert wire.is_closed()


@pytest.mark.usefixtures("_one_second")
def test_length_that_is_more_than_what_comes(
    port: int, token_for: Any, alpha_admin: Profile
) -> None:
    with Wire(port) as wire:
        wire.post(token_for(alpha_admin), f"Content-Length: {len(CREATE) + 1}")
        wire.send(CREATE)
        assert wire.answer().status == 408
    assert leads(alpha_admin) == 0


def test_length_that_is_less_than_what_comes(
    port: int, token_for: Any, alpha_admin: Profile
) -> None:
    with Wire(port) as wire:
        wire.post(token_for(alpha_admin), f"Content-Length: {len(CREATE) - 1}")
        wire.send(CREATE)
        assert wire.answer().status == 400
    assert leads(alpha_admin) == 0


@pytest.mark.parametrize("path", ["/mcp", "/mcp/revoke"])
@pytest.mark.parametrize("size", ["1000001", "9" * 18])
def test_length_over_the_limit_is_refused_before_the_body(
    port: int, token_for: Any, alpha_admin: Profile, path: str, size: str
) -> None:
    with Wire(port) as wire:
        wire.post(token_for(alpha_admin), f"Content-Length: {size}", path=path)
        answer = wire.answer()
        assert answer.status == 413
        assert answer.json["error"]
        assert wire.is_closed()


def test_chunks_over_the_limit(port: int, token_for: Any, alpha_admin: Profile) -> None:
    with Wire(port) as wire:
        wire.post(token_for(alpha_admin), "Transfer-Encoding: chunked")
        wire.send(b"F4241\r\n" + b" " * 1_000_001 + b"\r\n")
        assert wire.answer().status == 413


@pytest.mark.usefixtures("_one_second")
def test_order_of_what_is_checked(port: int, token_for: Any, alpha_admin: Profile) -> None:
    """Each is refused although everything after it is wrong as well, and the body is not there."""
    foreign, large = "Origin: https://evil.example", f"Content-Length: {10**7}"
    for status, host, headers in (
        (400, "evil.example", [foreign, large]),
        (403, "localhost", [foreign, large]),
        (413, "localhost", [large]),
        (408, "localhost", [length(SEARCH)]),
    ):
        with Wire(port) as wire:
            wire.post("bcrm_pat_wrong", *headers, host=host)
            assert wire.answer().status == status
    assert call(port, "bcrm_pat_wrong", b"{").status == 401


def test_held_bodies_keep_nobody_waiting(
    port: int, token_for: Any, alpha_admin: Profile, settings: Any
) -> None:
    settings.BOTTLECRM_MCP = with_settings(CONCURRENT_CALLS=1, CALLS_PER_MINUTE=2)
    secret = token_for(alpha_admin)
    wires = [Wire(port) for _ in range(50)]
    for wire in wires:
        wire.post(secret, length(SEARCH))
        wire.send(SEARCH[:-1])
    assert [call(port, secret, SEARCH).status for _ in range(2)] == [200, 200]
    for wire in wires:
        wire.socket.close()


def test_clients_that_hang_up_in_their_body(
    port: int, token_for: Any, alpha_admin: Profile, settings: Any, caplog: Any
) -> None:
    settings.BOTTLECRM_MCP = with_settings(CONCURRENT_CALLS=1)
    secret = token_for(alpha_admin)
    for _ in range(5):
        with Wire(port) as wire:
            wire.post(secret, length(CREATE))
            wire.send(CREATE[:-1])
    assert call(port, secret, SEARCH).status == 200
    assert leads(alpha_admin) == 0
    assert "Traceback" not in caplog.text
