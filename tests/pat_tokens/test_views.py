from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from django.utils import timezone
from rest_framework.test import APIClient, APIRequestFactory, force_authenticate

from pat_tokens import secret as token_secret
from pat_tokens.models import Token
from pat_tokens.resolver import resolve_token
from pat_tokens.views import TokenListView

URL = "/api/profile/tokens/"

pytestmark = pytest.mark.urls("tests.pat_tokens.urls")


def create(client: APIClient, **data):
    return client.post(URL, {"name": "Laptop", **data}, format="json")


def lifetime(answer) -> timedelta:
    return datetime.fromisoformat(answer.json()["expires_at"]) - timezone.now()


def test_create(api, alpha_user) -> None:
    answer = create(api(alpha_user), scopes=["leads:read"])
    assert answer.status_code == 201
    assert answer["Cache-Control"] == "no-store"
    token = resolve_token(answer.json()["token"])
    assert token.owner == alpha_user
    assert (token.name, token.scopes) == ("Laptop", ["leads:read"])


def test_secret_is_told_at_creation_only(api, alpha_user) -> None:
    client = api(alpha_user)
    secret = create(client).json()["token"]
    listed = client.get(URL)
    assert secret not in listed.content.decode()
    assert token_secret.digest(secret) not in listed.content.decode()
    assert set(listed.json()["tokens"][0]) == {
        "id",
        "name",
        "token_prefix",
        "scopes",
        "status",
        "expires_at",
        "last_used_at",
        "created_at",
        "revoked_at",
    }


def test_digest_is_not_told_at_creation(api, alpha_user) -> None:
    answer = create(api(alpha_user))
    assert token_secret.digest(answer.json()["token"]) not in answer.content.decode()


def test_expires_after_90_days_by_default(api, alpha_user) -> None:
    assert timedelta(days=89) < lifetime(create(api(alpha_user))) <= timedelta(days=90)


def test_expires_in_days(api, alpha_user) -> None:
    answer = create(api(alpha_user), expires_in_days=7)
    assert timedelta(days=6) < lifetime(answer) <= timedelta(days=7)


def test_expires_at(api, alpha_user) -> None:
    answer = create(api(alpha_user), expires_at="2999-12-31T00:00:00Z")
    assert lifetime(answer) > timedelta(days=300_000)


def test_never_expires_when_asked_for(api, alpha_user) -> None:
    assert create(api(alpha_user), expires_at=None).json()["expires_at"] is None


def test_scopes_are_canonical_and_unique(api, alpha_user) -> None:
    answer = create(api(alpha_user), scopes=[" Leads:READ", "leads:read", "*:write"])
    assert answer.json()["scopes"] == ["leads:read", "*:write"]


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 256}, "name"),
        ({"scopes": "leads:read"}, "scopes"),
        ({"scopes": None}, "scopes"),
        ({"scopes": ["lead:read"]}, "scopes"),
        ({"scopes": ["leads:read"] * 33}, "scopes"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "tomorrow"}, "expires_at"),
        ({"expires_in_days": 0}, "expires_in_days"),
        ({"expires_in_days": None}, "expires_in_days"),
        ({"expires_in_days": 10**9}, "expires_in_days"),
        ({"expires_in_days": 1, "expires_at": None}, "non_field_errors"),
        ({"scope": ["leads:read"]}, "non_field_errors"),
    ],
)
def test_bad_request(api, alpha_user, org_context, data, field) -> None:
    answer = create(api(alpha_user), **data)
    assert answer.status_code == 400
    assert list(answer.json()) == [field]
    with org_context(alpha_user.org):
        assert not Token.objects.exists()


@pytest.mark.parametrize("body", [[], "text", 7])
def test_body_that_is_no_object(api, alpha_user, body) -> None:
    assert api(alpha_user).post(URL, body, format="json").status_code == 400


def test_list_shows_own_tokens_newest_first(api, issue, alpha_user, alpha_admin) -> None:
    issue(alpha_user, name="first")
    issue(alpha_user, name="second")
    issue(alpha_admin, name="not theirs")
    names = [token["name"] for token in api(alpha_user).get(URL).json()["tokens"]]
    assert names == ["second", "first"]


def test_list_keeps_revoked_and_expired_tokens(api, issue, alpha_user, org_context) -> None:
    revoked, _ = issue(alpha_user)
    issue(alpha_user, expires_at=timezone.now())
    with org_context(alpha_user.org):
        revoked.revoke()
    tokens = api(alpha_user).get(URL).json()["tokens"]
    assert [token["status"] for token in tokens] == ["expired", "revoked"]


def test_revoke(api, issue, stored, alpha_user) -> None:
    token, _ = issue(alpha_user)
    assert api(alpha_user).delete(f"{URL}{token.pk}/").status_code == 204
    assert stored(token).status == "revoked"


def test_revoke_twice(api, issue, stored, alpha_user) -> None:
    token, _ = issue(alpha_user)
    client = api(alpha_user)
    client.delete(f"{URL}{token.pk}/")
    first = stored(token).revoked_at
    assert client.delete(f"{URL}{token.pk}/").status_code == 204
    assert stored(token).revoked_at == first


@pytest.mark.parametrize("stranger", ["alpha_admin", "beta_user"])
def test_token_of_another_owner(api, issue, stored, alpha_user, request, stranger) -> None:
    token, _ = issue(alpha_user)
    client = api(request.getfixturevalue(stranger))
    assert client.delete(f"{URL}{token.pk}/").status_code == 404
    assert stored(token).status == "active"


def test_unknown_token(api, alpha_user) -> None:
    assert api(alpha_user).delete(f"{URL}{uuid4()}/").status_code == 404


def test_anonymous(db) -> None:
    assert APIClient().get(URL).status_code == 403


def call_view(headers, user=None, auth=None, **attributes):
    """The view alone, as in a host whose middleware let the request through."""
    request = APIRequestFactory().post(URL, {"name": "Laptop"}, format="json", headers=headers)
    for name, value in attributes.items():
        setattr(request, name, value)
    force_authenticate(request, user=user, token=auth)
    return TokenListView.as_view()(request)


@pytest.mark.parametrize("headers", [{"Token": "org-key"}, {"Authorization": "Bearer bcrm_pat_x"}])
def test_made_with_a_key_or_token(alpha_admin, headers) -> None:
    answer = call_view(headers, alpha_admin.user, profile=alpha_admin)
    assert answer.status_code == 403
    assert "Sign in" in answer.data["detail"]


def test_made_with_a_token_of_the_host(alpha_admin) -> None:
    answer = call_view({}, alpha_admin.user, profile=alpha_admin, _pat=object())
    assert answer.status_code == 403


def test_made_with_a_token_known_to_drf_only(alpha_admin, issue) -> None:
    token, _ = issue(alpha_admin)
    answer = call_view({}, alpha_admin.user, token, profile=alpha_admin)
    assert answer.status_code == 403


def test_signed_in_without_an_organisation(alpha_user) -> None:
    answer = call_view({}, alpha_user.user)
    assert answer.status_code == 403
    assert answer.data["detail"] == "Sign in to an organisation to manage its tokens."
