"""Odd values in every field of the token endpoints and pages: refused in words, never a failure."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client
from rest_framework.test import APIClient

from tests.security.conftest import REVEALING

pytestmark = pytest.mark.usefixtures("logs_hold_no_token")

DIGITS = "9" * 5000
NESTED = "[" * 100_000 + "]" * 100_000
TEXTS = (
    "",
    " ",
    "\0",
    "a\0b",
    "-1",
    "0",
    DIGITS,
    "1e400000",
    "NaN",
    "Infinity",
    "x" * 100_000,
    "ä" * 300,
    "٣",
    "0001-01-01",
    "9999-12-31",
    "9999-12-31T23:59:59.999999Z",
    "0001-01-01T00:00:00+14:00",
    "2030-02-30",
    "00000000-0000-0000-0000-000000000000",
    "{00000000-0000-0000-0000-000000000000}",
    "' OR 1=1 --",
    "=1+1",
)
# As JSON, so that what Python can't write is there as well.
JSON_VALUES = (
    *(json.dumps(each) for each in TEXTS),
    '"\\ud800"',
    '["\\ud800"]',
    '{"\\ud800": "\\ud800"}',
    DIGITS,
    "1e400",
    "NaN",
    "-1",
    "1.5",
    "true",
    "null",
    "[]",
    "{}",
    "[[[]]]",
    '{"a": {"b": []}}',
    NESTED,
    '{"a":' * 100_000 + "1" + "}" * 100_000,
)
BODIES = (
    b"",
    b"{",
    b"\xff",
    b'{"\\ud800": 1}',
    b'{"name": "\xff"}',
    NESTED.encode(),
    b"null",
    b"7",
)
CHARSETS = ("utf-16", "rot13", "zlib", "base64", "undefined", "idna", "punycode", "nothing")
TOKEN = "00000000-0000-4000-8000-000000000000"


def fields() -> Iterator[tuple[str, str, str]]:
    """Method, path and field of everything that takes a JSON body."""
    own, org = "/api/profile/tokens/", "/api/org/tokens/"
    for name in ("name", "scopes", "access", "entities", "expires_at", "expires_in_days", "odd"):
        yield "post", own, name
    yield "post", f"{own}{{token}}/rotate/", "overlap_hours"
    yield "post", f"{own}{{token}}/pause/", "odd"
    for name in ("name", "note"):
        yield "patch", f"{own}{{token}}/", name
    for name in ("owner", "all"):
        yield "post", f"{org}revoke/", name
    for name in ("agents", "max_lifetime_days", "confirmation", "odd"):
        yield "patch", f"{org}policy/", name


def require_in_order(answer: Any, what: str) -> None:
    assert answer.status_code < 500, what[:300]
    assert not REVEALING.search(answer.content.decode()) or b"<!doctype html>" in answer.content


@pytest.fixture
def admin(api: Any, alpha_admin: Any, monkeypatch: pytest.MonkeyPatch) -> APIClient:
    monkeypatch.setattr("pat_tokens.services.issue.PER_HOUR", 10_000)
    client: APIClient = api(alpha_admin)
    return client


@pytest.mark.parametrize(("method", "path", "field"), list(fields()))
def test_value_in_a_body(admin, token_for, alpha_admin, method, path, field) -> None:
    from pat_tokens.resolver import resolve_token

    path = path.format(token=resolve_token(token_for(alpha_admin)).pk)
    beside = {} if field == "name" or not path.endswith("tokens/") else {"name": "Odd"}
    for value in JSON_VALUES:
        head = "".join(f"{json.dumps(key)}: {json.dumps(each)}, " for key, each in beside.items())
        body = f'{{{head}"{field}": {value}}}'
        answer = getattr(admin, method)(path, body, content_type="application/json")
        require_in_order(answer, f"{method} {path} {field}: {value}")


@pytest.mark.parametrize("body", BODIES)
def test_body(admin, body) -> None:
    for method, path, _ in {(method, path, "") for method, path, _ in fields()}:
        path = path.format(token=TOKEN)
        answer = getattr(admin, method)(path, body, content_type="application/json")
        require_in_order(answer, f"{method} {path}: {body!r}")


@pytest.mark.parametrize("charset", CHARSETS)
@pytest.mark.parametrize(
    "kind", ["application/json", "application/x-www-form-urlencoded", "multipart/form-data"]
)
def test_charset(admin, charset, kind) -> None:
    for body in (b'{"name": "x"}', b"name=x&a=%ff", b"\0\xff", b"--b\r\n\r\n--b--"):
        content_type = f"{kind}; boundary=b; charset={charset}"
        answer = admin.post("/api/profile/tokens/", body, content_type=content_type)
        require_in_order(answer, f"{content_type}: {body!r}")


@pytest.mark.parametrize(
    "path", ["/api/org/tokens/events/", "/api/org/tokens/", "/api/profile/tokens/"]
)
@pytest.mark.parametrize(
    "field", ["person", "token", "kind", "entity", "from", "to", "limit", "cursor", "state", "odd"]
)
def test_value_in_a_query(admin, path, field) -> None:
    for value in (*TEXTS, "%ff", "%ud800", "%ED%A0%80"):
        query = value if value.startswith("%") else quote(value[:20_000])
        answer = admin.get(f"{path}?{field}={query}")
        require_in_order(answer, f"{path}?{field}={value}")


@pytest.fixture
def browser(alpha_admin: Any) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(alpha_admin.user)
    return client


PAGE = "/settings/api-tokens/"
FORMS = {
    f"{PAGE}new/": ("name", "note", "access", "expires", "expires_on", "ticket", "entity-leads"),
    f"{PAGE}organisation/policy/": ("agents", "max_lifetime_days", "confirmation"),
}


@pytest.mark.parametrize(("path", "field"), [(p, f) for p, fs in FORMS.items() for f in fs])
def test_value_in_a_form(browser, path, field) -> None:
    given = {"name": "Odd", "access": "read_only", "expires": "date", "expires_on": "2030-01-01"}
    if field == "entity-leads":
        given["access"] = "entities"
    for value in TEXTS:
        answer = browser.post(path, {**given, field: value})
        require_in_order(answer, f"{path} {field}: {value}")


QUERIES = {
    PAGE: ("search", "status", "cursor", "done"),
    f"{PAGE}organisation/": ("person", "search", "state", "cursor"),
    f"{PAGE}organisation/events/": ("person", "token", "kind", "entity", "from", "to", "cursor"),
    f"{PAGE}organisation/events/csv/": ("token", "from", "to"),
}


@pytest.mark.parametrize(("path", "field"), [(p, f) for p, fs in QUERIES.items() for f in fs])
def test_value_in_the_query_of_a_page(browser, path, field) -> None:
    for value in TEXTS:
        answer = browser.get(path, {field: value[:20_000]})
        require_in_order(answer, f"{path}?{field}={value}")


@pytest.mark.parametrize("name", ["x" * 300, "a\0b", "ä" * 300, "\ud800"])
def test_path_that_a_token_has_no_scope_for(token_api, alpha_user, name) -> None:
    """The refusal names the resource, and is kept in the row of the token and in the log."""
    path = f"/api/{quote(name, errors='surrogatepass')}/"
    assert token_api(alpha_user, scopes=["leads:read"]).get(path).status_code == 403


@pytest.mark.parametrize(
    "body", [NESTED.encode(), b'{"token": "bcrm_pat_\\ud800"}', b'{"token": "bcrm_pat_\\u0000"}']
)
def test_report_of_a_leak(db, body) -> None:
    from pat_tokens.audit.source import Source
    from pat_tokens.services.leak_reports import answer_report

    assert answer_report(body, Source("203.0.113.9")).status in (200, 400)


AS_TRUE = ["1", "1.0", '"true"', '"yes"', '"on"', "[true]", '{"all": true}', "null", "false"]


@pytest.mark.parametrize("value", AS_TRUE)
def test_all_is_revoked_by_true_alone(admin, token_for, alpha_user, value) -> None:
    from pat_tokens.resolver import resolve_token

    secret = token_for(alpha_user)
    body = f'{{"all": {value}}}'
    answer = admin.post("/api/org/tokens/revoke/", body, content_type="application/json")
    assert answer.status_code == 400
    assert resolve_token(secret)


ODD_NUMBERS = [
    r'"\uff11\uff12"', '"1e3"', '" 7 "', '"+7"', '"7_0"', "7.0", "true", r'"\u0663"', "[7]",
]  # fmt: skip
NUMBERS = [
    ("post", "/api/profile/tokens/", "expires_in_days"),
    ("patch", "/api/org/tokens/policy/", "max_lifetime_days"),
    ("patch", "/api/org/tokens/policy/", "max_connection_days"),
]


@pytest.mark.parametrize("value", ODD_NUMBERS)
@pytest.mark.parametrize(("method", "path", "field"), NUMBERS)
def test_number_in_another_spelling(admin, method, path, field, value) -> None:
    body = f'{{"name": "x", "{field}": {value}}}' if method == "post" else f'{{"{field}": {value}}}'
    answer = getattr(admin, method)(path, body, content_type="application/json")
    assert answer.status_code == 400, value
    assert field in answer.json()["errors"]


HIDDEN_IN_NAMES = ["\u200bLaptop", "Lap\u202etop", "Laptop\u200d", "\u200cLaptop", "Lap\x07top"]


@pytest.mark.parametrize("name", HIDDEN_IN_NAMES)
def test_name_that_hides_something(admin, name) -> None:
    answer = admin.post("/api/profile/tokens/", {"name": name}, format="json")
    assert answer.status_code == 400
    assert "invisible" in str(answer.json()["errors"]["name"])


def test_name_in_any_script(admin) -> None:
    for name in ("नमस्\u200dते", "👩\u200d💻 laptop", "Büro Zürich", "مكتب"):
        answer = admin.post("/api/profile/tokens/", {"name": name}, format="json")
        assert (answer.status_code, answer.json()["name"]) == (201, name)
