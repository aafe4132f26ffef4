"""The emergency stop: by REST and by the page, for everybody of the organisation, and undone."""

import pytest

from pat_tokens.services.policy import change_policy, policy_of
from pat_tokens.services.stop import allow_agents, stop_agents
from tests.host_tokens.models import issue_host_token
from tests.pat_tokens.pages.test_views import browser, post, text_of  # noqa: F401 (a fixture)

STOP = "/api/org/tokens/stop/"
LEADS = "/api/leads/"


def test_by_rest(api, token_api, alpha_admin, alpha_user, beta_user, events) -> None:
    """Every token of the organisation, whoever's, at its next request; and back."""
    clients = [token_api(alpha_user), token_api(alpha_admin)]
    stranger = token_api(beta_user)
    told = api(alpha_admin).post(STOP, {"reason": "A laptop is lost"}, format="json").json()
    assert (told["stop_reason"], told["stopped_by"]) == (
        "A laptop is lost",
        alpha_admin.user.email,
    )
    for client in clients:
        answer = client.get(LEADS)
        assert answer.status_code == 403
        assert "“A laptop is lost”" in answer.json()["detail"]
    assert stranger.get(LEADS).status_code == 200
    assert api(alpha_user).get(LEADS).status_code == 200
    assert api(alpha_admin).delete(STOP).json()["stopped_at"] is None
    assert [client.get(LEADS).status_code for client in clients] == [200, 200]
    logged = events(alpha_admin.org, kind__in=["stopped", "started"])
    assert [(each.kind, each.actor, each.detail) for each in logged] == [
        ("stopped", alpha_admin.user.email, "A laptop is lost"),
        ("started", alpha_admin.user.email, ""),
    ]


def test_token_in_the_reason_is_cut(
    token_for, api, token_api, alpha_admin, alpha_user, events
) -> None:
    leaked = token_for(alpha_user)
    client = token_api(alpha_admin)
    told = api(alpha_admin).post(STOP, {"reason": f"{leaked} is on a page"}, format="json").json()
    assert told["stop_reason"] == f"{leaked[:13]}… is on a page"
    assert leaked not in client.get(LEADS).json()["detail"]
    assert leaked not in events(alpha_admin.org, kind="stopped")[0].detail


def test_policy_stays_as_it_is(alpha_admin) -> None:
    change_policy(alpha_admin, agents="read_only")
    stop_agents(alpha_admin, "x")
    assert allow_agents(alpha_admin)
    assert not allow_agents(alpha_admin)
    assert policy_of(alpha_admin.org_id).agents == "read_only"


def test_tokens_of_the_host(api, alpha_admin, alpha_user) -> None:
    from rest_framework.test import APIClient

    _, secret = issue_host_token(alpha_user)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    stop_agents(alpha_admin, "x")
    assert client.get(LEADS).status_code == 403


@pytest.mark.parametrize(
    "body", [{}, {"reason": ""}, {"reason": "x" * 256}, {"reason": "a\u202eb"}, {"other": "x"}]
)
def test_reason_is_wanted(api, alpha_admin, body) -> None:
    assert api(alpha_admin).post(STOP, body, format="json").status_code == 400
    assert policy_of(alpha_admin.org_id).stop is None


def test_for_administrators_only(api, token_api, alpha_user, alpha_admin) -> None:
    for client in (api(alpha_user), token_api(alpha_admin)):
        assert client.post(STOP, {"reason": "x"}, format="json").status_code == 403
        assert client.delete(STOP).status_code == 403
    assert policy_of(alpha_admin.org_id).stop is None


def test_page(browser, issue, alpha_admin, alpha_user) -> None:  # noqa: F811
    page = "/settings/api-tokens/organisation/"
    issue(alpha_user)
    admin = browser(alpha_admin)
    assert "Stop all agents" in text_of(admin.get(f"{page}policy/"))
    refused = post(admin, f"{page}stop/", reason="<b>Lost</b>", typed="yes")
    assert (refused.status_code, policy_of(alpha_admin.org_id).stop) == (400, None)
    done = post(admin, f"{page}stop/", reason="<b>Lost</b>", typed="Stop all")
    assert done.status_code == 302
    shown = browser(alpha_user).get("/settings/api-tokens/")
    assert b"&lt;b&gt;Lost&lt;/b&gt;" in shown.content
    assert "All are stopped." in text_of(shown)
    assert "Allow them again" not in text_of(shown)
    assert "Allow them again" in text_of(admin.get(page))
    assert post(admin, f"{page}allow/").status_code == 302
    assert policy_of(alpha_admin.org_id).stop is None
    assert browser(alpha_user).get(f"{page}stop/").status_code == 403
