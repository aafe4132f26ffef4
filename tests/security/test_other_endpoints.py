"""What is sent to the endpoints beside /mcp: reports of leaks, health, and the tokens' REST API."""

import json
from typing import Any

import pytest
from django.core.cache import cache
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from demo_crm.access.row_security import org_context
from demo_crm.models import Profile
from pat_tokens.models import Token
from tests.bottlecrm_mcp.hosted.http import LIST_TOOLS, send
from tests.security.conftest import require_in_order
from tests.security.test_headers import HEADERS
from tests.security.test_messages import VALUES

fuzzed = settings(
    max_examples=60,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

BODIES = {
    "deep lists": b"[" * 4_000,
    "deep objects": b'{"a":' * 800 + b"1" + b"}" * 90,
    "long number": b'{"token": ' + b"9" * 4_000 + b"}",
    "no number": b'{"token": NaN}',
    "no text": b"\xff\xfe\x00",
    "a list": b'["bcrm_pat_x"]',
    "nothing": b"null",
}
HALF = "\ud800"
SECRETS = [
    f"bcrm_pat_{HALF}",
    "bcrm_pat_" + HALF * 43,
    "bcrm_pat_\x00",
    "bcrm_pat_é",
    "bcrm_pat_" + "9" * 4_000,
    ["bcrm_pat_x"],
    1e300,
]


@pytest.fixture(autouse=True)
def _empty_cache() -> None:
    cache.clear()


@pytest.mark.parametrize("name", BODIES)
def test_reports_that_are_none(app: Any, db: None, name: str) -> None:
    response = send(app, path="/mcp/revoke", body=BODIES[name])
    assert response.status_code == 400
    require_in_order(response)


@pytest.mark.parametrize("secret", SECRETS)
def test_reports_of_what_is_no_token(app: Any, db: None, secret: Any) -> None:
    body = json.dumps({"token": secret, HALF: HALF}).encode()
    response = send(app, path="/mcp/revoke", body=body)
    assert response.status_code in (200, 400)
    assert response.json().get("revoked", False) is False


@fuzzed
@given(VALUES)
def test_reports_of_anything(app: Any, db: None, value: Any) -> None:
    cache.clear()
    require_in_order(send(app, path="/mcp/revoke", body=json.dumps({"token": value}).encode()))


@fuzzed
@given(
    st.sampled_from([("/mcp/revoke", "POST"), ("/mcp/healthz", "GET"), ("/mcp", "GET")]), HEADERS
)
def test_any_headers(app: Any, db: None, endpoint: Any, headers: Any) -> None:
    cache.clear()
    path, method = endpoint
    require_in_order(send(app, path=path, method=method, headers=headers, body=b"{}"))


DEEP = b"[" * 100_000 + b"]" * 100_000
FIELDS = {
    "/api/profile/tokens/": ("name", "scopes", "access", "entities", "expires_at", HALF),
    "/api/profile/tokens/{id}/rotate/": ("overlap_hours", HALF),
    "/api/profile/tokens/{id}/pause/": (HALF,),
    "/api/org/tokens/revoke/": ("owner", "all", HALF),
    "/api/org/tokens/policy/": ("agents", "max_lifetime_days", "confirmation", HALF),
}


@pytest.mark.parametrize("path", FIELDS)
def test_json_for_the_tokens(api: Any, alpha_admin: Profile, token_for: Any, path: str) -> None:
    token_for(alpha_admin)
    fields = FIELDS[path]
    with org_context(alpha_admin.org):
        path = path.format(id=Token.objects.get().pk)
    client = api(alpha_admin)
    send_to = client.patch if "policy" in path else client.post
    wrong = [{field: value} for field in fields for value in (HALF, [HALF], {HALF: 1})]
    for body in (DEEP, *(json.dumps({"name": "x", **each}).encode() for each in wrong)):
        answer = send_to(path, body, content_type="application/json")
        assert answer.status_code == 400, body[:100]
        assert answer.json()["detail"].startswith("The body is ")
    with org_context(alpha_admin.org):
        assert Token.objects.count() == 1


def test_every_header_is_ascii(app: Any, secret: str, settings: Any) -> None:
    """Clients fail on others, and RFC 6750 forbids them."""
    settings.CORS_ALLOW_ALL_ORIGINS = True
    foreign = "http://b\u00fccher.example".encode("latin-1")
    for headers in (
        {},
        {"Authorization": "Bearer x"},
        {"Authorization": "Bearer bcrm_pat_\u00fc".encode("latin-1")},
        {"Authorization": f"Bearer {secret}x"},
        {"Authorization": f"Bearer {secret}", "Origin": foreign},
        {"Authorization": f"Bearer {secret}", "X-Request-ID": foreign},
        {"Host": foreign},
    ):
        for method in ("POST", "OPTIONS", "GET"):
            answer = send(app, method=method, headers=headers, body=LIST_TOOLS)
            assert all(name.isascii() and value.isascii() for name, value in answer.headers.raw)
