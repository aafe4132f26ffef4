"""The sign-in by a mailed code, with BottleCRM's answers."""

import re

import pytest
from django.core import mail
from django.core.cache import cache
from rest_framework.test import APIClient

from demo_crm.models import User

REQUEST = "/api/auth/magic-link/request/"
VERIFY = "/api/auth/magic-link/verify-code/"


@pytest.fixture(autouse=True)
def _no_codes():
    cache.clear()
    yield
    cache.clear()


def post(path, **body):
    return APIClient().post(path, body, format="json")


def code_for(email) -> str:
    answer = post(REQUEST, email=email, delivery="code")
    assert answer.status_code == 200
    return re.search(r"\d{6}", str(mail.outbox[-1].body))[0]


def test_answer_is_always_the_same(alpha_user) -> None:
    said = {"message": "If this email is valid, you will receive a sign-in link."}
    for email in (alpha_user.user.email, "nobody@example.com", "nonsense"):
        answer = post(REQUEST, email=email, delivery="code")
        assert (answer.status_code, answer.json()) == (200, said)
    assert len(mail.outbox) == 2


def test_five_codes_an_hour(alpha_user) -> None:
    for _ in range(7):
        code_for(alpha_user.user.email)
    assert len(mail.outbox) == 5


def test_sign_in(alpha_user) -> None:
    code = code_for(alpha_user.user.email)
    said = post(VERIFY, email=alpha_user.user.email.upper(), code=code).json()
    assert said["user"]["id"] == str(alpha_user.user_id)
    assert [each["name"] for each in said["organizations"]] == ["Alpha"]
    assert said["current_org"]["id"] == str(alpha_user.org_id)
    bearer = {"Authorization": f"Bearer {said['access_token']}"}
    assert APIClient().get("/api/leads/", headers=bearer).status_code == 200


def test_code_counts_once(alpha_user) -> None:
    code = code_for(alpha_user.user.email)
    assert post(VERIFY, email=alpha_user.user.email, code=code).status_code == 200
    answer = post(VERIFY, email=alpha_user.user.email, code=code)
    assert (answer.status_code, answer.json()) == (400, {"error": "Invalid or expired code"})


def test_earlier_code(alpha_user) -> None:
    earlier, code = code_for(alpha_user.user.email), code_for(alpha_user.user.email)
    if earlier != code:
        assert post(VERIFY, email=alpha_user.user.email, code=earlier).status_code == 400


def test_five_tries(alpha_user) -> None:
    code = code_for(alpha_user.user.email)
    wrong = f"{(int(code) + 1) % 10**6:06d}"
    for _ in range(5):
        assert post(VERIFY, email=alpha_user.user.email, code=wrong).status_code == 400
    assert post(VERIFY, email=alpha_user.user.email, code=code).status_code == 400


def test_invalid_request(db) -> None:
    answer = post(VERIFY, email="a@example.com", code="12345")
    assert (answer.status_code, answer.json()) == (400, {"error": "Invalid request"})


def test_unknown_address_becomes_a_user(db) -> None:
    said = post(VERIFY, email="new@example.com", code=code_for("new@example.com")).json()
    assert (said["organizations"], said.get("current_org")) == ([], None)
    assert User.objects.get(email="new@example.com").pk


def test_deactivated_user(alpha_user) -> None:
    User.objects.filter(pk=alpha_user.user_id).update(is_active=False)
    answer = post(VERIFY, email=alpha_user.user.email, code=code_for(alpha_user.user.email))
    assert (answer.status_code, answer.json()) == (403, {"error": "User account is disabled"})
