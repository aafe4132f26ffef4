import re
from datetime import timedelta

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone
from rest_framework.exceptions import AuthenticationFailed

from bottlecrm_mcp.hosted.authentication import (
    Unauthorized,
    authenticate,
    bearer_secret,
    token_resolvers,
)
from demo_crm.access.identity import issue_access_token
from demo_crm.access.row_security import org_context
from pat_tokens import secret as token_secret
from pat_tokens.models import Token
from tests.bottlecrm_mcp.hosted.http import LIST_TOOLS, bearer, send
from tests.bottlecrm_mcp.population import with_settings

GARBAGE = b'{"jsonrpc": "2.0", \xff'


def require_refused(response, *, presented=True) -> None:
    assert response.status_code == 401
    challenge = response.headers["WWW-Authenticate"]
    assert challenge.startswith('Bearer realm="BottleCRM"')
    assert ('error="invalid_token"' in challenge) == presented
    # What RFC 6750 allows between the quotes of an error_description.
    for text in challenge.split('"')[1::2]:
        assert re.fullmatch(r"[\x20\x21\x23-\x5b\x5d-\x7e]+", text)
    assert set(response.json()) == {"error"}


def test_valid_token(app, token_for, alpha_user) -> None:
    assert send(app, headers=bearer(token_for(alpha_user))).status_code == 200


def test_no_credential(app, db) -> None:
    require_refused(send(app, body=GARBAGE), presented=False)


def test_token_in_the_query_string(app, token_for, alpha_user) -> None:
    secret = token_for(alpha_user)
    for name in ("token", "access_token", "authorization"):
        path = f"/mcp?{name}={secret}"
        require_refused(send(app, path=path, body=GARBAGE), presented=False)


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer ",
        "Bearer abc",
        "Basic dXNlcjpwYXNz",
        "Token {secret}",
        "{secret}",
        "Bearer{secret}",
        "Bearer {secret}x",
        "Bearer {secret} {secret}",
        "Bearer {secret},",
        "Bearer bcrm_pat_",
        "Bearer bcrm_pat_" + "0" * 49,
        "Bearer bcrm_pat_" + "a" * 43,
        "Bearer bcrm_pat_" + "x" * 5000,
        "Bearer bcrm_pat_ü",
    ],
)
def test_malformed_or_unknown_token(app, token_for, alpha_user, header) -> None:
    value = header.format(secret=token_for(alpha_user)).encode("latin-1")
    require_refused(send(app, headers=[(b"Authorization", value)], body=GARBAGE))


def test_unknown_token(app, db) -> None:
    require_refused(send(app, headers=bearer(token_secret.generate()), body=GARBAGE))


def test_revoked_token_fails_the_very_next_request(app, token_for, alpha_user) -> None:
    secret = token_for(alpha_user)
    assert send(app, headers=bearer(secret)).status_code == 200
    with org_context(alpha_user.org):
        Token.objects.get().revoke()
    require_refused(send(app, headers=bearer(secret), body=GARBAGE))


def test_expired_token(app, token_for, alpha_user) -> None:
    secret = token_for(alpha_user, expires_at=timezone.now() - timedelta(seconds=1))
    require_refused(send(app, headers=bearer(secret), body=GARBAGE))


@pytest.mark.parametrize("which", ["profile", "user", "org"])
def test_inactive_owner(app, token_for, alpha_user, which) -> None:
    secret = token_for(alpha_user)
    inactive = alpha_user if which == "profile" else getattr(alpha_user, which)
    inactive.is_active = False
    inactive.save()
    require_refused(send(app, headers=bearer(secret), body=GARBAGE))


def test_access_token_of_the_web_app(app, alpha_user) -> None:
    require_refused(send(app, headers=bearer(issue_access_token(alpha_user)), body=GARBAGE))


def test_two_authorization_headers(app, token_for, alpha_user, beta_user) -> None:
    headers = [
        ("Authorization", f"Bearer {token_for(profile)}") for profile in (alpha_user, beta_user)
    ]
    require_refused(send(app, headers=headers, body=GARBAGE))


@pytest.mark.parametrize("template", ["bearer {}", "BEARER {}", "Bearer  {}  "])
def test_spelling_of_the_scheme(app, token_for, alpha_user, template) -> None:
    header = {"Authorization": template.format(token_for(alpha_user))}
    assert send(app, headers=header).status_code == 200


def test_cookies_are_no_credential(app, token_for, alpha_user) -> None:
    secret = token_for(alpha_user)
    headers = {"Cookie": f"token={secret}; sessionid={secret}"}
    require_refused(send(app, headers=headers, body=GARBAGE), presented=False)


def test_secret_is_not_echoed(app, db) -> None:
    secret = token_secret.generate()
    response = send(app, headers=bearer(secret))
    assert secret not in response.text + str(response.headers)


def test_out_of_scope_is_said_by_the_tool(app, token_for, alpha_user) -> None:
    secret = token_for(alpha_user, scopes=["contacts:read"])
    call = LIST_TOOLS | {
        "method": "tools/call",
        "params": {"name": "crm_search", "arguments": {"entity": "leads"}},
    }
    response = send(app, headers=bearer(secret), body=call)
    assert response.json()["result"]["isError"] is True
    assert "insufficient_scope" in response.text
    assert "leads:read" in response.text


def test_caller(token_for, alpha_user) -> None:
    caller = authenticate(token_for(alpha_user, scopes=["leads:read"]))
    assert (caller.name, caller.role) == ("Alpha User", "USER")
    assert (caller.profile_id, caller.org_id) == (str(alpha_user.pk), str(alpha_user.org_id))
    assert caller.timezone == "Asia/Kolkata"
    assert caller.scopes == ("leads:read",)


@pytest.mark.parametrize(("header", "presented"), [("", False), ("Basic x", True)])
def test_presented(header, presented) -> None:
    with pytest.raises(Unauthorized) as refusal:
        bearer_secret(header)
    assert refusal.value.presented == presented


def test_resolvers_of_the_settings(settings) -> None:
    settings.BOTTLECRM_MCP = with_settings(
        TOKEN_RESOLVERS=("tests.bottlecrm_mcp.hosted.test_authentication.nobody",)
    )
    assert token_resolvers() == [nobody]


def nobody(secret: str):
    raise AssertionError


def test_no_token_source(settings) -> None:
    settings.INSTALLED_APPS = [app for app in settings.INSTALLED_APPS if app != "pat_tokens"]
    with pytest.raises(ImproperlyConfigured, match="pat_tokens"):
        token_resolvers()


def test_only_a_token_that_no_source_accepts_is_logged(token_for, alpha_user, settings, caplog):
    accepting = "pat_tokens.resolver.resolve_token"
    refusing = f"{__name__}.refuse"
    settings.BOTTLECRM_MCP = with_settings(TOKEN_RESOLVERS=(accepting, refusing))
    secret = token_secret.generate()
    with pytest.raises(Unauthorized):
        authenticate(secret)
    assert secret[:13] in caplog.text
    assert secret not in caplog.text
    caplog.clear()
    settings.BOTTLECRM_MCP = with_settings(TOKEN_RESOLVERS=(refusing, accepting))
    authenticate(token_for(alpha_user))
    assert caplog.text == ""


def test_token_of_another_source_is_not_logged_as_unknown(settings, caplog, db):
    settings.BOTTLECRM_MCP = with_settings(
        TOKEN_RESOLVERS=("pat_tokens.resolver.resolve_token", f"{__name__}.accept")
    )
    with pytest.raises(Accepted):
        authenticate(token_secret.generate())
    assert caplog.text == ""


class Accepted(Exception):
    pass


def accept(secret: str) -> None:
    raise Accepted


def refuse(secret: str) -> None:
    raise AuthenticationFailed


MISTAKES = {
    "Bearer ${BCRM_TOKEN}": "variable",
    "Bearer $BCRM_TOKEN": "variable",
    "Bearer %BCRM_TOKEN%": "variable",
    "Bearer <your token>": "variable",
    'Bearer "bcrm_pat_x"': "quotation marks",
    "Bearer 'bcrm_pat_x'": "quotation marks",
    "Bearer Bearer bcrm_pat_x": "twice",
    "bcrm_pat_x": "lacks the word Bearer",
    "Basic bcrm_pat_x": "are accepted",
    "Bearer eyJ": "are accepted",
}


@pytest.mark.parametrize(("header", "said"), MISTAKES.items())
def test_mistake_in_the_header_is_named(header: str, said: str) -> None:
    with pytest.raises(Unauthorized, match=said) as refusal:
        bearer_secret(header)
    # RFC 6750, section 3: what is sent in the challenge.
    assert all(" " <= each <= "~" and each not in '"\\' for each in str(refusal.value))
