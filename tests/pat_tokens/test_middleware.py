from types import SimpleNamespace
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from django.utils import timezone

from pat_tokens import secret as token_secret
from pat_tokens.middleware import HideToken, TokenContext, _in_timezone_of

pytestmark = pytest.mark.urls("tests.pat_tokens.urls")


def call(secret, path="/api/leads/", method="GET", view=None, **attributes):
    """The request after it went through the middleware, and the response."""
    request = RequestFactory().generic(method, path, headers={"Authorization": f"Bearer {secret}"})
    for name, value in {"profile": None, "org": None, **attributes}.items():
        setattr(request, name, value)
    response = TokenContext(view or (lambda request: HttpResponse("passed")))(request)
    return request, response


def test_sync_only() -> None:
    assert (TokenContext.sync_capable, TokenContext.async_capable) == (True, False)


def test_identity_is_attached(alpha_user, issue) -> None:
    token, secret = issue(alpha_user)
    request, _ = call(secret)
    assert (request.profile, request.org, request._pat) == (alpha_user, alpha_user.org, token)
    assert request.META["org"] == str(alpha_user.org_id)
    assert request.META["pat_token_id"] == str(token.pk)


def test_request_without_host_attributes(alpha_user, issue) -> None:
    _, secret = issue(alpha_user)
    request: Any = RequestFactory().get(
        "/api/leads/", headers={"Authorization": f"Bearer {secret}"}
    )
    TokenContext(lambda request: HttpResponse())(request)
    assert request.profile == alpha_user


def test_use_is_recorded(alpha_user, issue, stored) -> None:
    token, secret = issue(alpha_user)
    call(secret)
    assert stored(token).last_used_at is not None


def test_host_credential_is_left_alone(alpha_user, beta_user, issue) -> None:
    _, secret = issue(alpha_user)
    request, _ = call(secret, profile=beta_user, org=beta_user.org)
    assert request.profile == beta_user
    assert not hasattr(request, "_pat")


def test_host_organisation_is_left_alone(alpha_user, beta_user, issue) -> None:
    _, secret = issue(alpha_user)
    request, _ = call(secret, org=beta_user.org)
    assert (request.profile, request.org) == (None, beta_user.org)


def test_request_without_a_token_makes_no_query(db, django_assert_num_queries) -> None:
    with django_assert_num_queries(0):
        _, response = call("eyJhbGciOi.J9.x")
    assert response.content == b"passed"


def test_rejected_token_is_left_to_the_host(db) -> None:
    request, response = call(token_secret.generate())
    assert response.content == b"passed"
    assert request.profile is None


def test_secret_elsewhere_than_in_the_header_is_ignored(alpha_user, issue) -> None:
    _, secret = issue(alpha_user)
    request = RequestFactory().get(f"/api/leads/?token={secret}", headers={"Token": secret})
    TokenContext(lambda request: HttpResponse())(request)
    assert not hasattr(request, "profile")


def test_out_of_scope(alpha_user, issue, stored) -> None:
    token, secret = issue(alpha_user, scopes=["leads:read"])
    request, response = call(secret, method="POST")
    assert response.status_code == 403
    assert response.content == b'{"detail": "This token lacks the scope leads:write."}'
    assert request.profile is None
    assert stored(token).last_used_at is None


def test_script_name_does_not_hide_credentials(alpha_user, issue) -> None:
    _, secret = issue(alpha_user)
    request = RequestFactory(SCRIPT_NAME="/crm").get(
        "/api/profile/tokens/", headers={"Authorization": f"Bearer {secret}"}
    )
    assert TokenContext(lambda request: HttpResponse())(request).status_code == 403


def test_timezone_of_the_organisation(alpha_user, issue) -> None:
    _, secret = issue(alpha_user)
    seen = []
    call(secret, view=lambda request: seen.append(timezone.get_current_timezone_name()))
    assert seen == ["Asia/Kolkata"]
    assert timezone.get_current_timezone_name() == "UTC"


def test_timezone_ends_with_a_failing_view(alpha_user, issue) -> None:
    def fail(request):
        raise LookupError

    _, secret = issue(alpha_user)
    with pytest.raises(LookupError):
        call(secret, view=fail)
    assert timezone.get_current_timezone_name() == "UTC"


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "../etc/passwd"])
def test_unknown_timezone_is_no_outage(alpha_user, issue, name) -> None:
    alpha_user.org.timezone = name
    alpha_user.org.save()
    _, secret = issue(alpha_user)
    _, response = call(secret)
    assert response.content == b"passed"


def test_organisation_without_a_timezone() -> None:
    with _in_timezone_of(SimpleNamespace(pk=1)):
        assert timezone.get_current_timezone_name() == "UTC"


def test_refusal_is_logged_without_the_secret(alpha_user, issue, caplog) -> None:
    token, secret = issue(alpha_user, scopes=["leads:read"])
    call(secret, method="POST")
    assert token.prefix in caplog.text
    assert secret not in caplog.text
    assert token.digest not in caplog.text


def test_whole_chain(alpha_user, issue, client) -> None:
    token, secret = issue(alpha_user)
    answer = client.get("/api/leads/", headers={"Authorization": f"Bearer {secret}"})
    assert answer.json() == {
        "profile": str(alpha_user.pk),
        "user": str(alpha_user.user_id),
        "org": str(alpha_user.org_id),
        "timezone": "Asia/Kolkata",
        "token": str(token.pk),
    }


def test_next_request_after_a_revocation_fails(alpha_user, issue, client, org_context) -> None:
    token, secret = issue(alpha_user)
    header = {"Authorization": f"Bearer {secret}"}
    assert client.get("/api/leads/", headers=header).status_code == 200
    with org_context(alpha_user.org):
        token.revoke()
    assert client.get("/api/leads/", headers=header).status_code == 403


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize(
    "path", ["/api/profile/tokens/", "/settings/api-tokens/profile/tokens/", "/api/org/api-key/"]
)
def test_credentials_are_never_reachable(alpha_admin, token_api, path, method) -> None:
    answer = getattr(token_api(alpha_admin), method)(path)
    assert answer.status_code == 403
    assert "Sign in" in answer.json()["detail"]


def through_both(secret: str, **headers: str) -> tuple[Any, dict[str, str]]:
    """The request after both middlewares, and what one between them sees of its credentials."""
    seen: dict[str, str] = {}
    given = {"Authorization": f"Bearer {secret}", **headers}

    def identify(request: Any) -> Any:
        seen.update({name: value for name, value in request.headers.items() if name in given})
        request.profile = request.org = None
        return TokenContext(lambda request: HttpResponse())(request)

    request = RequestFactory().get("/api/leads/", headers=given)
    # Somebody has read the headers before.
    assert request.headers["Authorization"]
    HideToken(identify)(request)
    assert {name: request.headers[name] for name in given} == given
    return request, seen


def test_token_is_hidden_from_the_host(alpha_user, issue) -> None:
    _, secret = issue(alpha_user)
    request, seen = through_both(secret)
    assert seen == {}
    assert request.profile == alpha_user


def test_token_counts_before_a_key_of_the_host(alpha_user, issue) -> None:
    _, secret = issue(alpha_user)
    request, seen = through_both(secret, Token="the-organisations-key")
    assert seen == {}
    assert request.profile == alpha_user


@pytest.mark.parametrize("secret", ["bcrm_pat_" + "h" * 43, "eyJ0.eyJ1.sig", "bcrm_pat_mistyped"])
def test_what_is_not_ours_is_shown_to_the_host(db, secret) -> None:
    _, seen = through_both(secret, Token="key")
    assert seen == {"Authorization": f"Bearer {secret}", "Token": "key"}


def test_unknown_token_of_our_shape_is_nobody(db) -> None:
    request, _ = through_both(token_secret.generate())
    assert request.profile is None
