"""Attempts on the authorization server: nothing is granted, and each ends in a clear answer."""

import logging
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pat_tokens.models import (
    AuthorizationCode,
    AuthorizationRequest,
    Connection,
    RefreshToken,
    Token,
)
from pat_tokens.oauth import consent
from pat_tokens.oauth.requests import pending_request
from pat_tokens.rls import in_organisation, presenting
from pat_tokens.secret import digest, generate, redacted
from tests.bottlecrm_mcp.hosted.http import bearer, send
from tests.bottlecrm_mcp.hosted.oauth.flow import (
    CLAUDE,
    CLAUDE_CODE,
    ISSUER,
    PAGE,
    RESOURCE,
    hidden,
    post,
    query_of,
)


def require_nothing_granted(*orgs) -> None:
    for org in orgs:
        with in_organisation(org.pk):
            assert not Connection.objects.exists()
            assert not Token.objects.exists()
            assert not AuthorizationCode.objects.exists()


@pytest.mark.parametrize(
    "redirect",
    [
        "https://evil.example/cb",
        "https://claude.ai/api/mcp/auth_callback/",
        "https://claude.ai/api/mcp/auth_callback?x=1",
        "https://claude.ai.evil.example/api/mcp/auth_callback",
        "https://claude.ai@evil.example/api/mcp/auth_callback",
        "http://claude.ai/api/mcp/auth_callback",
        "https://claude.ai:8443/api/mcp/auth_callback",
        "https://claude.ai/api/mcp/../mcp/auth_callback/x",
        "javascript:alert(1)",
        "http://localhost:1/callback",
        "not a url",
        "",
    ],
)
def test_unknown_redirect_is_never_followed(flow, redirect) -> None:
    answer = flow.authorize(redirect_uri=redirect)
    assert answer.status_code == 400
    assert "Location" not in answer.headers
    assert answer.json()["error"] == "invalid_request"
    assert not AuthorizationRequest.objects.exists()


@pytest.mark.parametrize(
    "redirect",
    [
        "http://localhost:49536/other",
        "http://localhost.evil.example:49536/callback",
        "http://localhost@evil.example/callback",
        "http://localhost:1@evil.example/callback",
        "https://localhost:49536/callback",
        "http://127.0.0.2:49536/callback",
        "http://localhost:49536/callback#x",
    ],
)
def test_loopback_allows_another_port_only(flow, redirect) -> None:
    answer = flow.authorize(client_id=CLAUDE_CODE, redirect_uri=redirect)
    assert answer.status_code == 400
    assert "Location" not in answer.headers


def test_error_page_for_people(flow) -> None:
    flow.headers = {"Accept": "text/html,*/*"}
    answer = flow.authorize(redirect_uri="https://evil.example/<script>")
    assert answer.status_code == 400
    assert "This can&#x27;t be connected" in answer.text or "can't be connected" in answer.text
    assert "<script>" not in answer.text.replace("<script src=", "")
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge": "x" * 44}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "s256"}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": None}, "invalid_request"),
        ({"resource": "https://other.example.com/mcp"}, "invalid_target"),
        ({"resource": f"{RESOURCE}x"}, "invalid_target"),
        ({"resource": ISSUER}, "invalid_target"),
        ({"state": "x" * 5000}, "invalid_request"),
        ({"state": "\0"}, "invalid_request"),
    ],
)
def test_bad_request_goes_back_with_the_issuer(flow, changes, error) -> None:
    answer = flow.authorize(**changes)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("https://claude.ai/api/mcp/auth_callback?")
    said = query_of(answer.headers["Location"])
    assert (said["error"], said["iss"]) == (error, ISSUER)
    assert said.get("state") == (changes.get("state", "xyz") if "state" in changes else "xyz")
    assert not AuthorizationRequest.objects.exists()


def test_parameter_given_twice(flow) -> None:
    path = "/oauth/authorize?client_id=a&client_id=b"
    answer = flow.get(path)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_scopes_that_are_not_known_are_left_out(flow, browser, alpha_user, connections) -> None:
    flow.scope = "openid offline_access crm:read admin:write leads:write crm:admin"
    flow.connect(browser(alpha_user), access="read_write")
    assert connections(alpha_user.org)[0].scopes == ["*:read", "leads:write"]


def test_nobody_gets_more_than_asked_for(flow, browser, alpha_user, connections) -> None:
    flow.scope = "crm:read"
    person = browser(alpha_user)
    page = person.get(flow.consent_page()).content.decode()
    assert 'value="read_write"' not in page
    answer = flow.approve(person, flow.consent_page(), access="read_write")
    assert answer.status_code == 400
    chosen = {"access": "entities", "entity-leads": "write"}
    assert flow.approve(person, flow.consent_page(), **chosen).status_code == 400
    require_nothing_granted(alpha_user.org)
    chosen = {"access": "entities", "entity-leads": "read"}
    flow.exchange(query_of(flow.approve(person, flow.consent_page(), **chosen)["Location"])["code"])
    assert "leads:read" in connections(alpha_user.org)[0].scopes
    assert "*:read" not in connections(alpha_user.org)[0].scopes


def test_forged_post(flow, browser, alpha_user) -> None:
    path = flow.consent_page()
    person = browser(alpha_user)
    owner = hidden(person.get(path), "owner")
    form = {"access": "read_only", "days": "90", "owner": owner, "allow": "1"}
    assert person.post(path, form).status_code == 403
    assert Client().post(path, form).status_code == 302
    require_nothing_granted(alpha_user.org)


def test_consent_page_in_a_frame(flow, browser, alpha_user) -> None:
    page = browser(alpha_user).get(flow.consent_page())
    policy = page["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy
    assert "form-action 'self' https://claude.ai;" in policy
    assert page["X-Frame-Options"] == "DENY"
    assert page["Cache-Control"] == "no-store"


def test_page_of_another_person(flow, browser, alpha_user, alpha_admin) -> None:
    """What one person saw is not decided in the session of another one."""
    path = flow.consent_page()
    seen = hidden(browser(alpha_admin).get(path), "owner")
    answer = flow.approve(browser(alpha_user), path, owner=seen)
    assert answer.status_code == 400
    page = answer.content.decode()
    assert "signed in as somebody else now" in page
    assert hidden(answer, "owner") == str(alpha_user.pk)
    require_nothing_granted(alpha_user.org)


def test_two_organisations_in_two_tabs(flow, browser, alpha_user, beta_user, connections) -> None:
    """Each code is of the organisation it was agreed to in, whichever is redeemed first."""
    paths = [flow.consent_page(state="one"), flow.consent_page(state="two")]
    people = [browser(alpha_user), browser(beta_user)]
    codes = [
        query_of(flow.approve(person, path)["Location"])["code"]
        for person, path in zip(people, paths, strict=True)
    ]
    tokens = [flow.exchange(code).json() for code in reversed(codes)]
    again = [flow.refresh(each["refresh_token"]).json() for each in tokens]
    for token, owner in zip((*tokens, *again), (beta_user, alpha_user) * 2, strict=True):
        with in_organisation(owner.org_id):
            found = Token.objects.get(digest=digest(token["access_token"]))
            assert (found.owner_id, found.org_id) == (owner.pk, owner.org_id)
            assert found.connection.org_id == owner.org_id
    assert len(connections(alpha_user.org)) == len(connections(beta_user.org)) == 1


def test_request_is_decided_once(flow, browser, alpha_user) -> None:
    path = flow.consent_page()
    person = browser(alpha_user)
    form = {
        "access": "read_only",
        "days": "90",
        "owner": hidden(person.get(path), "owner"),
        "allow": "1",
    }
    assert post(person, path, form).status_code == 303
    for again in (form, {"deny": "1"}):
        answer = post(person, path, again)
        assert answer.status_code == 410
        assert "not open any more" in answer.content.decode()


def test_denied(flow, browser, alpha_user) -> None:
    path = flow.consent_page()
    person = browser(alpha_user)
    person.get(path)
    said = query_of(post(person, path, {"deny": "1"})["Location"])
    assert (said["error"], said["state"], said["iss"]) == ("access_denied", "xyz", ISSUER)
    require_nothing_granted(alpha_user.org)


@pytest.mark.parametrize("request_id", ["", "x", "00000000-0000-4000-8000-000000000000", "\0"])
def test_unknown_request(browser, alpha_user, request_id) -> None:
    answer = browser(alpha_user).get(f"{PAGE}connect/", {"request": request_id})
    assert answer.status_code == 410


@pytest.mark.parametrize(
    "form",
    [
        {"access": "all"},
        {"access": ""},
        {"days": "3650"},
        {"days": "-1"},
        {"days": "x"},
        {"owner": ""},
        {"access": "entities"},
        {"access": "entities", "entity-leads": "all"},
    ],
)
def test_bad_choice(flow, browser, alpha_user, form) -> None:
    answer = flow.approve(browser(alpha_user), flow.consent_page(), **form)
    assert answer.status_code == 400
    assert 'role="alert"' in answer.content.decode()
    require_nothing_granted(alpha_user.org)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_verifier": "w" * 64}, "invalid_grant"),
        ({"code_verifier": None}, "invalid_request"),
        ({"code_verifier": ""}, "invalid_grant"),
        ({"client_id": CLAUDE_CODE}, "invalid_client"),
        ({"client_id": None}, "invalid_client"),
        ({"redirect_uri": "https://evil.example/cb"}, "invalid_request"),
        ({"redirect_uri": None}, "invalid_request"),
        ({"resource": "https://other.example.com/mcp"}, "invalid_target"),
        ({"grant_type": "password"}, "invalid_request"),
        ({"grant_type": "client_credentials"}, "invalid_request"),
        ({"code": "bcrm_oac_" + "0" * 49}, "invalid_grant"),
        ({"code": "\0"}, "invalid_grant"),
        ({"code": ""}, "invalid_grant"),
    ],
)
def test_stolen_code(flow, browser, alpha_user, changes, error) -> None:
    """Whoever has the code alone gets nothing, and the client still does."""
    code = flow.code(browser(alpha_user))
    answer = flow.exchange(**{"code": code, **changes})
    assert answer.status_code in (400, 401)
    assert answer.json()["error"] == error
    with in_organisation(alpha_user.org_id):
        assert not Token.objects.exists()
    assert flow.exchange(code).status_code == 200


def test_code_of_another_client(flow, browser, alpha_user) -> None:
    code = flow.code(browser(alpha_user))
    flow.consent_page(client_id=CLAUDE_CODE, redirect_uri="http://localhost:1/callback")
    answer = flow.exchange(code, client_id=CLAUDE_CODE)
    assert answer.json()["error"] == "invalid_grant"


def test_codes_are_not_guessed(flow, browser, alpha_user) -> None:
    flow.code(browser(alpha_user))
    statuses = [flow.exchange(f"bcrm_oac_{number:049}").status_code for number in range(40)]
    assert statuses == [400] * 30 + [429] * 10
    with in_organisation(alpha_user.org_id):
        assert not Token.objects.exists()


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"client_id": CLAUDE_CODE}, "invalid_client"),
        ({"resource": "https://other.example.com/mcp"}, "invalid_target"),
        ({"scope": "crm:read crm:write"}, "invalid_scope"),
        ({"refresh_token": "bcrm_ort_" + "0" * 49}, "invalid_grant"),
    ],
)
def test_bad_refresh(flow, browser, alpha_user, changes, error) -> None:
    tokens = flow.connect(browser(alpha_user))
    answer = flow.refresh(**{"refresh_token": tokens["refresh_token"], **changes})
    assert answer.json()["error"] == error
    assert flow.refresh(tokens["refresh_token"]).status_code == 200


def test_tokens_are_not_good_for_one_another(flow, browser, alpha_user) -> None:
    code = flow.code(browser(alpha_user))
    tokens = flow.exchange(code).json()
    for secret in (code, tokens["refresh_token"]):
        assert send(flow.app, headers=bearer(secret)).status_code == 401
    assert flow.refresh(tokens["access_token"]).json()["error"] == "invalid_grant"
    assert flow.exchange(tokens["refresh_token"]).json()["error"] == "invalid_grant"


def test_token_of_one_organisation_at_another(flow, browser, alpha_user, beta_user) -> None:
    alpha = flow.connect(browser(alpha_user))
    beta = flow.connect(browser(beta_user))
    search = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": "crm_get", "arguments": {"entity": "people", "id": str(beta_user.pk)}},
    }
    found = [
        send(flow.app, headers=bearer(each["access_token"]), body=search).json()["result"]
        for each in (alpha, beta)
    ]
    assert [each.get("isError", False) for each in found] == [True, False]


def test_refresh_needs_the_connection_of_the_row(flow, browser, alpha_user, beta_user) -> None:
    """Row-level security, not only the code, keeps a presented digest to its own row."""
    tokens = [flow.connect(browser(each)) for each in (alpha_user, beta_user)]
    with presenting(digest(tokens[0]["refresh_token"])):
        [row] = RefreshToken.objects.all()
        assert row.org_id == alpha_user.org_id
        assert not Connection.objects.exists()
        assert not AuthorizationCode.objects.exists()
        assert RefreshToken.objects.update(used_at=timezone.now()) == 0


def test_expired_refresh(flow, browser, alpha_user) -> None:
    tokens = flow.connect(browser(alpha_user))
    with in_organisation(alpha_user.org_id):
        Connection.objects.update(idle_expires_at=timezone.now() - timedelta(seconds=1))
    answer = flow.refresh(tokens["refresh_token"])
    assert answer.json()["error"] == "invalid_grant"
    assert "not used for a month" in answer.json()["error_description"]


@pytest.mark.parametrize("path", ["/oauth/token", "/oauth/revoke", "/oauth/register"])
@pytest.mark.parametrize(
    "body", [b"", b"\xff\xfe", b"=&=", b"x" * 40_000, b'{"a": 1}'], ids=lambda each: str(each[:8])
)
@pytest.mark.parametrize(
    "kind", ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain", ""]
)
def test_odd_bodies(flow, path, body, kind) -> None:
    answer = send(flow.app, path=path, headers={"Content-Type": kind}, body=body)
    assert answer.status_code in (400, 401, 413)
    if answer.status_code != 413:
        assert answer.json()["error"].startswith("invalid_")


@pytest.mark.parametrize("path", ["/oauth/token", "/oauth/register", "/oauth/revoke"])
def test_methods(flow, path) -> None:
    assert flow.get(path).status_code == 405
    assert send(flow.app, path="/oauth/authorize").status_code == 405


def test_nothing_secret_in_the_log(flow, browser, alpha_user, caplog) -> None:
    caplog.set_level(logging.DEBUG)
    code = flow.code(browser(alpha_user))
    tokens = flow.exchange(code).json()
    again = flow.refresh(tokens["refresh_token"]).json()
    send(flow.app, headers=bearer(again["access_token"]))
    flow.exchange(code)
    flow.refresh(again["refresh_token"])
    formatter = logging.Formatter()
    text = "\n".join(formatter.format(each) for each in caplog.records if each.name != "httpx2")
    secrets = [code]
    secrets += [
        each[name] for each in (tokens, again) for name in ("access_token", "refresh_token")
    ]
    for secret in secrets:
        assert secret[16:] not in text


def test_secrets_are_cut_out_of_what_clients_say() -> None:
    for prefix in ("bcrm_pat_", "bcrm_oac_", "bcrm_ort_"):
        secret = generate(prefix)
        assert redacted(f"a {secret} b") == f"a {secret[:13]}… b"


PARAMETERS = ("client_id", "redirect_uri", "scope", "state", "code_challenge", "resource")


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    changes=st.dictionaries(
        st.sampled_from([*PARAMETERS, "code_challenge_method", "response_type", "x"]),
        st.one_of(st.text(max_size=40), st.sampled_from([CLAUDE, RESOURCE, "S256", "code"])),
        min_size=1,
        max_size=4,
    )
)
def test_any_parameters(flow, changes) -> None:
    """The browser is led to the client's own redirect or the consent page, or stays."""
    cache.clear()
    answer = flow.authorize(**changes)
    assert answer.status_code in (302, 400)
    if answer.status_code == 302:
        allowed = (f"{ISSUER}{PAGE}connect/?request=", "https://claude.ai/api/mcp/auth_callback?")
        assert answer.headers["Location"].startswith(allowed)


def test_owner_of_another_organisation_can_not_be_given(two_orgs: SimpleNamespace, flow) -> None:
    """The service itself binds to the organisation of the person, not to what a form says."""
    pk = flow.consent_page().rpartition("=")[2]
    assert pending_request(pk) is not None
    consent.approve(two_orgs.beta_user, pk, scopes=["*:read"], days=30)
    with in_organisation(two_orgs.alpha.pk):
        assert not Connection.objects.exists()
    with in_organisation(two_orgs.beta.pk):
        assert Connection.objects.get().org_id == two_orgs.beta.pk
