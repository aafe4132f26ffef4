"""Headers that try to be somebody or somewhere else."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from demo_crm.entities.sales.contacts import ContactList
from tests.bottlecrm_mcp.hosted.http import LIST_TOOLS, send

SEARCH = LIST_TOOLS | {
    "method": "tools/call",
    "params": {"name": "crm_search", "arguments": {"entity": "contacts"}},
}
# By what the CRM's own middleware might believe.
SMUGGLED = {
    "Cookie": "sessionid=1; org={beta}",
    "X-Org": "{beta}",
    "Org": "{beta}",
    "X-Org-Id": "{beta}",
    "X-Tenant": "{beta}",
    "X-User": "{user}",
    "X-Forwarded-User": "{user}",
    "X-Remote-User": "{user}",
    "Remote-User": "{user}",
    "X-Authorization": "Bearer x",
    "Proxy-Authorization": "Bearer x",
    "X-Api-Key": "x",
    "X-HTTP-Method-Override": "DELETE",
    "X-Method-Override": "DELETE",
    "X-Original-URL": "/admin/",
    "X-Rewrite-URL": "/admin/",
    "X-Original-Host": "evil.example",
    "Forwarded": "for=1.1.1.1;host=evil.example",
    "X-Script-Name": "/evil",
    "Script-Name": "/evil",
    "Path-Info": "/api/org/",
    "Request-Method": "DELETE",
    "Query-String": "org={beta}",
    "Transfer-Encoding": "chunked",
    "Content-Length": "5",
    "X_Forwarded_For": "6.6.6.6",
    "Remote_User": "{user}",
}


@pytest.fixture
def inner(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The requests that reach the CRM's list of contacts."""
    seen: list[Any] = []
    envelope = ContactList.envelope

    def look(self: Any, records: Any) -> Any:
        seen.append(self.request._request)
        return envelope(self, records)

    monkeypatch.setattr(ContactList, "envelope", look)
    return seen


def test_only_where_a_request_came_from_reaches_the_crm(
    attack: Any, inner: Any, alpha: Any, beta: Any, secret: str
) -> None:
    plain = attack(SEARCH)
    (expected,) = inner
    victim = {"beta": beta.org.pk, "user": beta.user.pk}
    for name, value in SMUGGLED.items():
        inner.clear()
        answer = attack(SEARCH, [(name, value.format(**victim))])
        assert answer.text == plain.text, name
        (request,) = inner
        assert without_body(request.META) == without_body(expected.META), name
        assert (request.method, request.path) == ("GET", "/api/contacts/")
        assert request.META["HTTP_AUTHORIZATION"] == f"Bearer {secret}"
        assert request.org == alpha.org


def without_body(meta: Any) -> dict[str, Any]:
    return {name: value for name, value in meta.items() if name != "wsgi.input"}


def test_every_header_that_reaches_the_crm(attack: Any, inner: Any) -> None:
    attack(SEARCH)
    (request,) = inner
    assert {name for name in request.META if name.startswith("HTTP_")} <= {
        "HTTP_ACCEPT",
        "HTTP_AUTHORIZATION",
        "HTTP_HOST",
        "HTTP_USER_AGENT",
        "HTTP_X_FORWARDED_FOR",
        "HTTP_X_FORWARDED_HOST",
        "HTTP_X_FORWARDED_PROTO",
        "HTTP_X_REAL_IP",
    }


HOSTS = [
    "evil.example",
    "testserver.evil.example",
    "evil.example:80@testserver",
    "testserver@evil.example",
    "testserver/../evil",
    "testserver evil.example",
    "testserver,evil.example",
    "testserver#evil.example",
    "testserver?x",
    "testserver\x00",
    "[::1",
    "testserver:80:80",
    "testserver:x",
    "",
    "\uff54estserver",
    "xn--testserver-",
]


def test_hosts(attack: Any) -> None:
    for host in HOSTS:
        response = attack(LIST_TOOLS, [("Host", host.encode())])
        assert response.status_code == 400, host
        assert "evil" not in response.text


def test_forwarded_host_is_not_believed_unasked(attack: Any, settings: Any) -> None:
    forwarded = [("X-Forwarded-Host", "evil.example")]
    assert attack(LIST_TOOLS, forwarded).status_code == 200
    settings.USE_X_FORWARDED_HOST = True
    assert attack(LIST_TOOLS, forwarded).status_code == 400


ORIGINS = [
    "http://testserver@evil.example",
    "http://evil.example#testserver",
    "http://testserver\\.evil.example",
    "http://TESTSERVER.evil.example",
    "HTTP://TESTSERVER",
    "http://testserver/",
    "http://testserver:80",
    "//testserver",
    "file://",
    "javascript:alert(1)",
    "http://testserver, http://evil.example",
    "http://testserver\r\nAccess-Control-Allow-Credentials: true",
    "*",
]


def test_origins(attack: Any) -> None:
    for origin in ORIGINS:
        response = attack(LIST_TOOLS, [("Origin", origin.encode())])
        assert response.status_code == 403, origin
        assert "access-control-allow-origin" not in response.headers


def test_two_origins(attack: Any) -> None:
    twice = [("Origin", "http://testserver"), ("Origin", "http://evil.example")]
    assert attack(LIST_TOOLS, twice).status_code == 403


@pytest.mark.parametrize("end", ["\r\nX: y", "\x00", "\x85x", "\xa0x", "\tx", "\r\n x"])
def test_token_that_goes_on(app: Any, secret: str, end: str) -> None:
    header = f"Bearer {secret}{end}".encode("latin-1")
    response = send(app, headers=[("Authorization", header)])
    assert response.status_code == 401
    assert secret not in response.text + str(response.headers)


NAMES = st.sampled_from(
    [
        "Accept", "Content-Type", "MCP-Protocol-Version", "Mcp-Method", "Mcp-Name",
        "Mcp-Session-Id", "Last-Event-Id", "User-Agent", "X-Request-ID", "X-Forwarded-For",
        "X-Forwarded-Proto", "X-Real-IP", "Accept-Language", "Content-Encoding", "Range",
        "Traceparent", "Expect", "Origin", "Host",
    ]
)  # fmt: skip
HEADERS = st.lists(st.tuples(NAMES, st.binary(max_size=40)), max_size=4)


@settings(
    max_examples=80,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(HEADERS)
def test_any_headers(attack: Any, headers: Any) -> None:
    attack(SEARCH, headers)
