"""The DRF class in a host without the middleware."""

import pytest
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from pat_tokens import secret as token_secret
from pat_tokens.authentication import TokenAuthentication

pytestmark = pytest.mark.urls("tests.pat_tokens.urls")


class View(APIView):
    authentication_classes = (TokenAuthentication,)
    permission_classes = ()

    def get(self, request) -> Response:
        return Response({"user": str(request.user), "token": str(getattr(request.auth, "pk", ""))})


def call(authorization="", path="/api/leads/", **attributes) -> Response:
    request = APIRequestFactory().get(path, headers={"Authorization": authorization})
    for name, value in attributes.items():
        setattr(request, name, value)
    return View.as_view()(request)


def test_token(alpha_user, issue) -> None:
    token, secret = issue(alpha_user)
    assert call(f"Bearer {secret}").data == {"user": str(alpha_user.user), "token": str(token.pk)}


def test_use_is_recorded(alpha_user, issue, stored) -> None:
    token, secret = issue(alpha_user)
    call(f"Bearer {secret}")
    assert stored(token).last_used_at is not None


def test_token_of_the_middleware_is_reused(alpha_user, issue, django_assert_num_queries) -> None:
    token, secret = issue(alpha_user)
    with django_assert_num_queries(0):
        answer = call(f"Bearer {secret}", _pat=token)
    assert answer.data["token"] == str(token.pk)


def test_token_of_the_host_is_left_to_it(db, django_assert_num_queries) -> None:
    with django_assert_num_queries(0):
        answer = call(f"Bearer {token_secret.generate()}", _pat=object())
    assert answer.data["user"] == "AnonymousUser"


def test_other_credentials_are_left_to_the_host(db) -> None:
    assert call("Bearer eyJhbGciOi.J9.x").data["user"] == "AnonymousUser"


def test_rejected_token(db) -> None:
    answer = call(f"Bearer {token_secret.generate()}")
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == 'Bearer realm="api"'
    assert answer.data["detail"] == "This token is not known."


def test_revoked_token(alpha_user, issue, org_context) -> None:
    token, secret = issue(alpha_user)
    with org_context(alpha_user.org):
        token.revoke()
    answer = call(f"Bearer {secret}")
    assert answer.status_code == 401
    assert answer.data["detail"] == "This token has been revoked."


def test_out_of_scope(alpha_user, issue) -> None:
    _, secret = issue(alpha_user, scopes=["boards:read"])
    assert call(f"Bearer {secret}").status_code == 403


def test_credentials_are_never_reachable(alpha_user, issue) -> None:
    _, secret = issue(alpha_user)
    assert call(f"Bearer {secret}", path="/settings/api-tokens/profile/tokens/").status_code == 403
