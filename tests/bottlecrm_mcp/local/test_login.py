"""`bcrm-mcp login` against the running demo: the browser once, and no token to copy."""

import asyncio
import stat
import webbrowser
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
from django.db import connection

from bottlecrm_mcp.local import logins
from bottlecrm_mcp.local.cli import command
from pat_tokens.models import Connection, RefreshToken, Token
from pat_tokens.oauth.connections import end_by_id
from pat_tokens.rls import in_organisation
from pat_tokens.services.policy import change_policy
from tests.bottlecrm_mcp.hosted.oauth.flow import browser_of, hidden, post
from tests.pat_tokens.pages.browser import serving

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def site(
    settings: Any, transactional_db: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[str]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("BCRM_TOKEN", raising=False)
    with serving() as url:
        settings.PAT_TOKENS_ISSUER = url
        monkeypatch.setenv("BCRM_BASE_URL", url)
        yield url


@pytest.fixture
def decides(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """The browser that is opened is this person's, who presses this button."""

    def person(profile: Any, button: str = "allow") -> None:
        def opened(url: str) -> bool:
            try:
                path = httpx2.URL(httpx2.get(url).headers["Location"]).raw_path.decode()
                browser = browser_of(profile)
                owner = hidden(browser.get(path), "owner")
                form = {"access": "read_only", "days": "30", "owner": owner, button: "1"}
                answer = httpx2.get(post(browser, path, form)["Location"])
                assert "can be closed" in answer.text
            finally:
                connection.close()
            return True

        monkeypatch.setattr(webbrowser, "open", opened)

    return person


def test_login(site, decides, alpha_user, tmp_path, capfd) -> None:
    decides(alpha_user)
    assert command(["login"]) == 0
    [file] = (tmp_path / "bcrm-mcp").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert command(["--check"]) == 0
    told = capfd.readouterr()
    assert "Acting as:     Alpha User <alpha.user@example.com>, USER" in told.out
    assert "needs no BCRM_TOKEN" in told.err
    login = logins.load(site)
    for secret in (login.access_token, login.refresh_token):
        assert secret not in told.out + told.err + repr(login)


def test_refused_access_token_is_replaced(site, decides, alpha_user) -> None:
    decides(alpha_user)
    command(["login"])
    first = logins.load(site)
    with in_organisation(alpha_user.org_id):
        Token.objects.all().delete()
    assert command(["--check"]) == 0
    assert logins.load(site).refresh_token != first.refresh_token


def test_token_that_is_due_is_replaced_before_it_is_sent(site, decides, alpha_user) -> None:
    decides(alpha_user)
    command(["login"])
    first = logins.load(site)
    logins.save(site, replace(first, expires_at=0))
    assert command(["--check"]) == 0
    with in_organisation(alpha_user.org_id):
        assert RefreshToken.objects.count() == 2
    assert logins.load(site).expires_at > first.expires_at - 60


def test_token_of_another_process_is_taken(site, decides, alpha_user) -> None:
    """An older refresh token would end the connection."""
    decides(alpha_user)
    command(["login"])
    login = logins.load(site)
    stale = logins.SignedIn(site, replace(login, expires_at=0, refresh_token="gone"))

    async def ask() -> int:
        async with httpx2.AsyncClient(auth=stale) as http:
            message = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
            headers = {"Accept": "application/json, text/event-stream"}
            return (await http.post(f"{site}/mcp", json=message, headers=headers)).status_code

    assert asyncio.run(ask()) == 200
    assert logins.load(site) == login


def test_disconnected(site, decides, alpha_user, capfd) -> None:
    decides(alpha_user)
    command(["login"])
    with in_organisation(alpha_user.org_id):
        [made] = Connection.objects.all()
    end_by_id(made.pk, by=alpha_user)
    assert command(["--check"]) == 1
    assert "To sign in again: bcrm-mcp login" in capfd.readouterr().err


def test_denied(site, decides, alpha_user, capfd) -> None:
    decides(alpha_user, "deny")
    assert command(["login"]) == 1
    assert "The person did not agree." in capfd.readouterr().err
    assert logins.load(site) is None


def test_logout(site, decides, alpha_user, capfd) -> None:
    decides(alpha_user)
    command(["login"])
    assert command(["logout"]) == 0
    assert logins.load(site) is None
    with in_organisation(alpha_user.org_id):
        assert [each.end_reason for each in Connection.objects.all()] == ["By bcrm-mcp."]
    assert "the connection is ended" in capfd.readouterr().err
    assert command(["--check"]) == 1
    assert "or sign in with `bcrm-mcp login`" in capfd.readouterr().err


def test_login_ends_the_one_before(site, decides, alpha_user) -> None:
    decides(alpha_user)
    for _ in range(2):
        assert command(["login"]) == 0
    with in_organisation(alpha_user.org_id):
        states = Connection.objects.order_by("created_at").values_list("ended_at", flat=True)
        assert [each is None for each in states] == [False, True]
    assert command(["--check"]) == 0


def test_logout_where_the_crm_is_away(site, decides, alpha_user, capfd) -> None:
    decides(alpha_user)
    command(["login"])
    away = replace(logins.load(site), revocation_endpoint="http://127.0.0.1:9/oauth/revoke")
    logins.save(site, away)
    assert command(["logout"]) == 0
    assert logins.load(site) is None
    assert "Settings → API Tokens, Disconnect" in capfd.readouterr().err
    assert command(["logout"]) == 0
    assert "nobody is signed in" in capfd.readouterr().err


@pytest.mark.parametrize("policy", [{"agents": "off"}, {"clients": "none"}])
def test_policy_that_refuses_is_named(
    site, decides, alpha_user, alpha_admin, policy, capfd
) -> None:
    decides(alpha_user)
    command(["login"])
    change_policy(alpha_admin, **policy)
    for arguments in (["--check"], []):
        assert command(arguments) == 1
        told = capfd.readouterr().err
        assert "Your organisation does not allow" in told
        assert "no MCP endpoint" not in told


def test_crm_that_lets_nobody_sign_in(site, settings, capfd) -> None:
    settings.PAT_TOKENS_ISSUER = ""
    assert command(["login"]) == 1
    assert "Traceback" not in capfd.readouterr().err


def test_rest_needs_a_token(site, decides, alpha_user, monkeypatch, capfd) -> None:
    decides(alpha_user)
    command(["login"])
    monkeypatch.setenv("BCRM_MODE", "rest")
    assert command(["--check"]) == 1
    assert "needs BCRM_TOKEN" in capfd.readouterr().err
