"""OAuth, step by step: from the address of /mcp to a call, a refresh, and the end."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from bottlecrm_mcp.gateway.in_process.gateway import InProcessGateway
from bottlecrm_mcp.hosted.oauth import metadata
from pat_tokens.models import (
    AuthorizationCode,
    AuthorizationRequest,
    Connection,
    Event,
    RefreshToken,
    Token,
)
from pat_tokens.oauth import grants
from pat_tokens.oauth.connections import end_by_id
from pat_tokens.rls import in_organisation
from pat_tokens.secret import REFRESH_PREFIX, generate
from pat_tokens.services.policy import change_policy
from pat_tokens.services.stop import allow_agents, stop_agents
from tests.bottlecrm_mcp.hosted.http import bearer, send
from tests.bottlecrm_mcp.hosted.oauth.flow import (
    CLAUDE,
    ISSUER,
    PAGE,
    RESOURCE,
    post,
    query_of,
)

CREATE = {
    "jsonrpc": "2.0",
    "id": 7,
    "method": "tools/call",
    "params": {"name": "crm_create", "arguments": {"entity": "leads", "data": {"last_name": "X"}}},
}


def status_of(app, token) -> int:
    return send(app, headers=bearer(token)).status_code


def test_consent_page_of_a_front_end_of_its_own(flow, settings) -> None:
    settings.PAT_TOKENS_CONSENT_URL = "https://app.example.com/connect"
    asked = flow.authorize()
    [request] = AuthorizationRequest.objects.all()
    assert asked.status_code == 302
    assert asked.headers["Location"] == f"https://app.example.com/connect?request={request.pk}"


def test_discovery(flow) -> None:
    refused = send(flow.app)
    assert refused.status_code == 401
    challenge = refused.headers["WWW-Authenticate"]
    assert 'scope="crm:read crm:write"' in challenge
    where = f"{ISSUER}/.well-known/oauth-protected-resource/mcp"
    assert f'resource_metadata="{where}"' in challenge
    for path in (where.removeprefix(ISSUER), "/.well-known/oauth-protected-resource"):
        document = flow.get(path).json()
        assert document["resource"] == RESOURCE
        assert document["authorization_servers"] == [ISSUER]
    server = flow.get("/.well-known/oauth-authorization-server").json()
    assert server["issuer"] == ISSUER
    assert server["code_challenge_methods_supported"] == ["S256"]
    assert server["token_endpoint_auth_methods_supported"] == ["none"]
    assert server["client_id_metadata_document_supported"] is True
    assert server["authorization_response_iss_parameter_supported"] is True
    for name in ("authorization", "token", "registration", "revocation"):
        assert server[f"{name}_endpoint"].startswith(f"{ISSUER}/oauth/")


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ({}, "Sign in by OAuth, as resource_metadata in WWW-Authenticate says, or send a personal"),
        (bearer("eyJ"), "Only tokens of this CRM"),
        (bearer(generate()), "Sign in again, or create a new one."),
    ],
)
def test_refusals_name_the_sign_in(flow, header, said) -> None:
    refused = send(flow.app, headers=header)
    assert refused.status_code == 401
    assert said in refused.json()["error"]
    assert "resource_metadata=" in refused.headers["WWW-Authenticate"]
    assert (said in refused.headers["WWW-Authenticate"]) == bool(header)


@pytest.mark.parametrize("name", ["openid-configuration", "oauth-authorization-server/mcp", "x"])
def test_unknown_documents_are_json(flow, name) -> None:
    answer = flow.get(f"/.well-known/{name}")
    assert answer.status_code == 404
    assert set(answer.json()) == {"error"}


def test_off_without_an_issuer(flow, settings) -> None:
    settings.PAT_TOKENS_ISSUER = ""
    assert "resource_metadata" not in send(flow.app).headers["WWW-Authenticate"]
    assert flow.get(metadata.SERVER_PATH).status_code == 404


def test_whole_way(flow, browser, alpha_user, connections, events) -> None:
    person = browser(alpha_user)
    tokens = flow.connect(person)
    assert tokens["token_type"] == "Bearer"
    assert tokens["scope"] == "crm:read"
    assert 8 * 3600 - 60 < tokens["expires_in"] <= 8 * 3600
    assert status_of(flow.app, tokens["access_token"]) == 200
    [connection] = connections(alpha_user.org)
    assert connection.owner == alpha_user
    assert (connection.client_name, connection.client_host) == ("Claude", "claude.ai")
    assert (connection.redirect_host, connection.scopes) == ("claude.ai", ["*:read"])
    assert connection.status == "active"
    [event] = events(alpha_user.org, kind="connected")
    assert (event.actor, event.token_name) == (alpha_user.user.email, "Claude")
    page = person.get(PAGE).content.decode()
    assert "Connected clients" in page
    assert "claude.ai, to claude.ai" in page
    assert f"{PAGE}connections/{connection.pk}/end/" in page
    assert "bcrm_pat_" not in page.split("Connected clients")[1].split("</table>")[0]


def test_signed_out_person_comes_back(flow, alpha_user, client) -> None:
    path = flow.consent_page()
    to_sign_in = client.get(path)
    assert to_sign_in.status_code == 302
    next_page = query_of(to_sign_in["Location"])["next"]
    assert next_page == path
    form = {"username": alpha_user.user.email, "password": "secret", "next": next_page}
    assert client.post("/sign-in/", form)["Location"] == path


def test_nothing_is_stored_in_the_clear(flow, browser, alpha_user) -> None:
    code = flow.code(browser(alpha_user))
    tokens = flow.exchange(code).json()
    with in_organisation(alpha_user.org_id):
        rows = [
            str(list(model.objects.values()))
            for model in (AuthorizationCode, Connection, RefreshToken, Token, Event)
        ]
    for secret in (code, tokens["access_token"], tokens["refresh_token"]):
        assert secret not in "".join(rows)


def test_refresh(flow, browser, alpha_user, connections) -> None:
    first = flow.connect(browser(alpha_user))
    second = flow.refresh(first["refresh_token"]).json()
    assert second["refresh_token"] != first["refresh_token"]
    assert second["scope"] == first["scope"]
    assert status_of(flow.app, second["access_token"]) == 200
    assert len(connections(alpha_user.org)) == 1


def test_refresh_while_all_are_stopped(flow, browser, alpha_admin) -> None:
    """The client keeps what it has, which works again afterwards."""
    held = flow.connect(browser(alpha_admin))
    stop_agents(alpha_admin, "Leak")
    refused = flow.refresh(held["refresh_token"])
    assert (refused.status_code, refused.json()["error"]) == (503, "temporarily_unavailable")
    assert "“Leak”" in refused.json()["error_description"]
    allow_agents(alpha_admin)
    assert flow.refresh(held["refresh_token"]).status_code == 200


def test_parallel_refresh_within_the_grace(flow, browser, alpha_user, connections) -> None:
    first = flow.connect(browser(alpha_user))
    both = [flow.refresh(first["refresh_token"]).json() for _ in range(2)]
    assert [status_of(flow.app, each["access_token"]) for each in both] == [200, 200]
    assert both[0]["refresh_token"] == both[1]["refresh_token"]
    assert [flow.refresh(each["refresh_token"]).status_code for each in both] == [200, 200]
    assert connections(alpha_user.org)[0].status == "active"


def test_thief_within_the_grace_has_no_chain_of_their_own(
    flow, browser, alpha_user, connections
) -> None:
    first = flow.connect(browser(alpha_user))
    owners, thiefs = (flow.refresh(first["refresh_token"]).json() for _ in range(2))
    assert flow.refresh(thiefs["refresh_token"]).status_code == 200
    with in_organisation(alpha_user.org_id):
        RefreshToken.objects.exclude(used_at=None).update(
            used_at=timezone.now() - timedelta(seconds=31)
        )
    assert flow.refresh(owners["refresh_token"]).json()["error"] == "invalid_grant"
    assert connections(alpha_user.org)[0].status == "ended"


def test_refreshes_of_a_connection_are_bounded(flow, browser, alpha_user, monkeypatch) -> None:
    monkeypatch.setattr(grants, "PER_HOUR", 3)
    tokens = flow.connect(browser(alpha_user))
    for _ in range(2):
        tokens = flow.refresh(tokens["refresh_token"]).json()
    refused = flow.refresh(tokens["refresh_token"])
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "3600")
    with in_organisation(alpha_user.org_id):
        RefreshToken.objects.update(created_at=timezone.now() - timedelta(hours=1))
    assert flow.refresh(tokens["refresh_token"]).status_code == 200


def test_access_tokens_of_a_connection_are_bounded(flow, browser, alpha_user, monkeypatch) -> None:
    monkeypatch.setattr(grants, "MOST_ACCESS_TOKENS", 3)
    first = flow.connect(browser(alpha_user))
    rest = [flow.refresh(first["refresh_token"]).json() for _ in range(3)]
    seen = [status_of(flow.app, each["access_token"]) for each in (first, *rest)]
    assert seen == [401, 200, 200, 200]


def test_failures_of_others_keep_nobody_out(flow, browser, alpha_user) -> None:
    """A client's servers ask for many people from one address."""
    tokens = flow.connect(browser(alpha_user))
    junk = [flow.refresh(generate(REFRESH_PREFIX)).status_code for _ in range(32)]
    assert (junk[0], junk[-1]) == (400, 429)
    assert flow.refresh(tokens["refresh_token"]).status_code == 200


def test_replayed_refresh_ends_the_connection(
    flow, browser, alpha_user, connections, events
) -> None:
    first = flow.connect(browser(alpha_user))
    second = flow.refresh(first["refresh_token"]).json()
    with in_organisation(alpha_user.org_id):
        RefreshToken.objects.exclude(used_at=None).update(
            used_at=timezone.now() - timedelta(seconds=31)
        )
    replay = flow.refresh(first["refresh_token"])
    assert (replay.status_code, replay.json()["error"]) == (400, "invalid_grant")
    assert flow.refresh(second["refresh_token"]).json()["error"] == "invalid_grant"
    for each in (first, second):
        assert status_of(flow.app, each["access_token"]) == 401
    assert connections(alpha_user.org)[0].status == "ended"
    [event] = events(alpha_user.org, kind="replayed")
    assert "refresh token was used twice" in event.detail
    assert "A refresh token was used twice." in browser(alpha_user).get(PAGE).content.decode()


def test_replayed_code_ends_the_connection(flow, browser, alpha_user, events) -> None:
    code = flow.code(browser(alpha_user))
    tokens = flow.exchange(code).json()
    replay = flow.exchange(code)
    assert (replay.status_code, replay.json()["error"]) == (400, "invalid_grant")
    assert status_of(flow.app, tokens["access_token"]) == 401
    assert len(events(alpha_user.org, kind="replayed")) == 1


def test_code_ends_after_a_minute(flow, browser, alpha_user) -> None:
    code = flow.code(browser(alpha_user))
    with in_organisation(alpha_user.org_id):
        AuthorizationCode.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    answer = flow.exchange(code)
    assert answer.json() == {
        "error": "invalid_grant",
        "error_description": "authorization code has expired",
    }


def test_request_ends_after_ten_minutes(flow, browser, alpha_user) -> None:
    path = flow.consent_page()
    AuthorizationRequest.objects.update(created_at=timezone.now() - timedelta(minutes=31))
    answer = browser(alpha_user).get(path)
    assert answer.status_code == 410
    assert "not open any more" in answer.content.decode()


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_client_revokes(flow, browser, alpha_user, connections, kind) -> None:
    tokens = flow.connect(browser(alpha_user))
    form = {"token": tokens[kind], "client_id": CLAUDE}
    assert flow.form("/oauth/revoke", {**form, "client_id": "another"}).status_code == 200
    assert status_of(flow.app, tokens["access_token"]) == 200
    assert flow.form("/oauth/revoke", form).status_code == 200
    assert status_of(flow.app, tokens["access_token"]) == 401
    assert flow.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert connections(alpha_user.org)[0].end_reason == "By Claude."
    assert flow.form("/oauth/revoke", form).status_code == 200


def test_personal_token_is_none_to_revoke_there(flow, token_for, alpha_user) -> None:
    secret = token_for(alpha_user)
    flow.form("/oauth/revoke", {"token": secret, "client_id": CLAUDE})
    assert status_of(flow.app, secret) == 200
    assert flow.form("/oauth/revoke", {"token": secret}).json()["error"] == "invalid_request"


def test_person_disconnects(flow, browser, alpha_user, connections, events) -> None:
    person = browser(alpha_user)
    tokens = flow.connect(person)
    [connection] = connections(alpha_user.org)
    path = f"{PAGE}connections/{connection.pk}/end/"
    assert "Disconnect “Claude”?" in person.get(path).content.decode()
    assert post(person, path, {})["Location"] == f"{PAGE}?done=disconnected"
    assert status_of(flow.app, tokens["access_token"]) == 401
    assert flow.refresh(tokens["refresh_token"]).status_code == 400
    [event] = events(alpha_user.org, kind="disconnected")
    assert event.actor == alpha_user.user.email


def test_others_do_not_disconnect(flow, browser, alpha_user, beta_admin, connections) -> None:
    flow.connect(browser(alpha_user))
    [connection] = connections(alpha_user.org)
    stranger = browser(beta_admin)
    stranger.get(PAGE)
    for path in (
        f"connections/{connection.pk}/end/",
        f"organisation/connections/{connection.pk}/end/",
    ):
        assert post(stranger, PAGE + path, {}).status_code == 404
    assert connections(alpha_user.org)[0].status == "active"


def test_administrator_sees_and_ends(flow, browser, alpha_user, alpha_admin, connections) -> None:
    tokens = flow.connect(browser(alpha_user))
    [connection] = connections(alpha_user.org)
    admin = browser(alpha_admin)
    shown = admin.get(f"{PAGE}organisation/").content.decode()
    path = f"{PAGE}organisation/connections/{connection.pk}/end/"
    assert path in shown
    assert "Alpha User connected it." in admin.get(path).content.decode()
    post(admin, path, {})
    assert status_of(flow.app, tokens["access_token"]) == 401


def test_revoking_everything_ends_connections(flow, browser, alpha_user, alpha_admin) -> None:
    tokens = flow.connect(browser(alpha_user))
    admin = browser(alpha_admin)
    admin.get(f"{PAGE}organisation/revoke/")
    post(admin, f"{PAGE}organisation/revoke/", {"typed": "revoke all"})
    assert status_of(flow.app, tokens["access_token"]) == 401


def test_deactivated_person(flow, browser, alpha_user) -> None:
    tokens = flow.connect(browser(alpha_user))
    alpha_user.is_active = False
    alpha_user.save()
    assert status_of(flow.app, tokens["access_token"]) == 401
    assert flow.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("policy", "status"),
    [
        ({"agents": "off"}, 403),
        ({"clients": "none"}, 403),
        ({"clients": "listed", "client_hosts": ["chatgpt.com"]}, 403),
        ({"clients": "listed", "client_hosts": ["claude.ai"]}, 200),
    ],
)
def test_policy_counts_at_once(flow, browser, alpha_user, alpha_admin, policy, status) -> None:
    tokens = flow.connect(browser(alpha_user))
    change_policy(alpha_admin, **policy)
    assert status_of(flow.app, tokens["access_token"]) == status
    page = browser(alpha_user).get(flow.consent_page())
    assert page.status_code == status
    assert ('name="allow"' in page.content.decode()) == (status == 200)


def test_longest_connection(flow, browser, alpha_user, alpha_admin, connections) -> None:
    change_policy(alpha_admin, max_connection_days=7)
    page = browser(alpha_user).get(flow.consent_page()).content.decode()
    assert 'value="7" selected' in page
    assert 'value="30"' not in page
    tokens = flow.connect(browser(alpha_user), days="7")
    with in_organisation(alpha_user.org_id):
        Connection.objects.update(created_at=timezone.now() - timedelta(days=8))
    assert status_of(flow.app, tokens["access_token"]) == 401
    assert connections(alpha_user.org)[0].status == "expired"


def test_token_is_good_at_mcp_only(flow, browser, alpha_user, client) -> None:
    tokens = flow.connect(browser(alpha_user))
    answer = client.get("/api/leads/", headers=bearer(tokens["access_token"]))
    assert (answer.status_code, answer.json()) == (
        403,
        {"detail": "This token is good for /mcp only."},
    )


def test_another_issuer_means_another_resource(flow, browser, alpha_user, settings) -> None:
    tokens = flow.connect(browser(alpha_user))
    settings.PAT_TOKENS_ISSUER = "https://other.example.com"
    assert status_of(flow.app, tokens["access_token"]) == 401


def test_use_is_remembered(flow, browser, alpha_user, connections) -> None:
    tokens = flow.connect(browser(alpha_user))
    call = {
        **CREATE,
        "params": {"name": "crm_search", "arguments": {"entity": "leads"}},
    }
    answer = send(flow.app, headers=bearer(tokens["access_token"]), body=call)
    assert 'isError":true' not in answer.text
    [connection] = connections(alpha_user.org)
    assert connection.last_used_at is not None


def test_call_that_needs_more(flow, browser, alpha_user) -> None:
    tokens = flow.connect(browser(alpha_user))
    answer = send(flow.app, headers=bearer(tokens["access_token"]), body=CREATE)
    assert answer.status_code == 403
    challenge = answer.headers["WWW-Authenticate"]
    assert 'error="insufficient_scope"' in challenge
    assert 'scope="crm:read crm:write"' in challenge
    assert "resource_metadata=" in challenge
    result = answer.json()["result"]
    assert result["isError"] is True
    assert json.loads(result["content"][0]["text"])["error"]["code"] == "insufficient_scope"
    assert result["_meta"]["mcp/www_authenticate"] == [challenge]


def test_personal_token_keeps_the_tool_error(flow, token_for, alpha_user) -> None:
    secret = token_for(alpha_user, scopes=["*:read"])
    answer = send(flow.app, headers=bearer(secret), body=CREATE)
    assert answer.status_code == 200
    assert "WWW-Authenticate" not in answer.headers
    assert "_meta" not in answer.json()["result"]


def test_policy_that_lets_read_only_is_no_lack_of_scope(
    flow, browser, alpha_user, alpha_admin
) -> None:
    tokens = flow.connect(browser(alpha_user), access="read_write")
    change_policy(alpha_admin, agents="read_only")
    answer = send(flow.app, headers=bearer(tokens["access_token"]), body=CREATE)
    assert answer.status_code == 200
    assert "allows connections and tokens to read only" in answer.text


def test_tools_declare_their_scopes(flow, browser, alpha_user) -> None:
    tokens = flow.connect(browser(alpha_user), access="read_write")
    answer = send(flow.app, headers=bearer(tokens["access_token"])).json()
    schemes = {each["name"]: each["_meta"]["securitySchemes"] for each in answer["result"]["tools"]}
    assert schemes["crm_search"] == [{"type": "oauth2", "scopes": ["crm:read"]}]
    assert schemes["crm_create"] == [{"type": "oauth2", "scopes": ["crm:read", "crm:write"]}]


def test_written_through_a_connection(flow, browser, alpha_user, connections, events) -> None:
    tokens = flow.connect(browser(alpha_user), access="read_write")
    call = json.loads(json.dumps(CREATE))
    call["params"]["arguments"]["data"] = {"last_name": "New", "title": "New", "email": "a@b.co"}
    answer = send(flow.app, headers=bearer(tokens["access_token"]), body=call)
    assert '"isError":true' not in answer.text.replace(" ", ""), answer.text
    [connection] = connections(alpha_user.org)
    [event] = events(alpha_user.org, kind="write")
    assert (event.token_id, event.token_name) == (connection.pk, "Claude")


def test_repeated_call_after_a_refresh(flow, browser, alpha_user) -> None:
    """The key of a repeated call holds for the connection, whichever token it has by then."""
    tokens = flow.connect(browser(alpha_user), access="read_write")
    call = json.loads(json.dumps(CREATE))
    data = {"last_name": "New", "title": "New", "email": "a@b.co"}
    call["params"]["arguments"] |= {"data": data, "idempotency_key": "once"}
    first = send(flow.app, headers=bearer(tokens["access_token"]), body=call).json()
    again = flow.refresh(tokens["refresh_token"]).json()
    second = send(flow.app, headers=bearer(again["access_token"]), body=call).json()
    assert second["result"]["structuredContent"]["repeated"] is True
    ids = [each["result"]["structuredContent"]["id"] for each in (first, second)]
    assert ids[0] == ids[1]


def test_disconnected_just_before_a_write(
    flow, browser, alpha_user, connections, events, monkeypatch
) -> None:
    tokens = flow.connect(browser(alpha_user), access="read_write")
    [connection] = connections(alpha_user.org)
    write = InProcessGateway.write

    def after_the_end(self, *arguments, **options):
        end_by_id(connection.pk, by=alpha_user)
        return write(self, *arguments, **options)

    monkeypatch.setattr(InProcessGateway, "write", after_the_end)
    call = json.loads(json.dumps(CREATE))
    call["params"]["arguments"]["data"] = {"last_name": "New", "title": "New", "email": "a@b.co"}
    answer = send(flow.app, headers=bearer(tokens["access_token"]), body=call).json()
    said = json.loads(answer["result"]["content"][0]["text"])["error"]
    assert said["code"] == "unauthorized"
    assert "Nothing was changed." in said["message"]
    assert [each.outcome for each in events(alpha_user.org, kind="write")] == ["unauthorized"]
