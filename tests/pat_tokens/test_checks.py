from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError
from django.test import override_settings

from pat_tokens.checks import (
    BEFORE,
    HIDES,
    MIDDLEWARE,
    check_database_role,
    check_issuer,
    check_middleware,
    check_owner_model,
    check_sign_in,
)
from pat_tokens.conf import token_settings


def test_good_settings() -> None:
    assert check_owner_model() == []
    assert check_middleware() == []


def test_owner_model_that_is_not_installed() -> None:
    with override_settings(PAT_TOKENS_OWNER_MODEL="demo_crm.Nobody"):
        (error,) = check_owner_model()
    assert error.id == "pat_tokens.E001"
    assert "demo_crm.Nobody" in error.msg


def test_owner_model_without_an_organisation() -> None:
    with override_settings(PAT_TOKENS_OWNER_MODEL="demo_crm.User"):
        (error,) = check_owner_model()
    assert error.id == "pat_tokens.E001"
    assert "no field user, org" in error.msg


@pytest.mark.parametrize("value", [None, "", "Profile", 7])
def test_owner_model_that_names_no_model(value) -> None:
    with (
        override_settings(PAT_TOKENS_OWNER_MODEL=value),
        pytest.raises(ImproperlyConfigured, match="Set PAT_TOKENS_OWNER_MODEL"),
    ):
        _ = token_settings.owner_model


def test_missing_middleware() -> None:
    with override_settings(MIDDLEWARE=[]):
        (warning,) = check_middleware()
    assert warning.id == "pat_tokens.W001"


def test_organisation_that_cannot_be_deactivated() -> None:
    with override_settings(PAT_TOKENS_OWNER_MODEL="demo_crm.Contact"):
        (error,) = check_owner_model()
    assert error.id == "pat_tokens.E001"


@pytest.mark.parametrize(
    ("order", "hint"),
    [
        ([HIDES, MIDDLEWARE, BEFORE[-1]], "after"),
        (["common.middleware.rls_context.RequireOrgContext", MIDDLEWARE], "before"),
    ],
)
def test_middleware_out_of_order(order, hint) -> None:
    with override_settings(MIDDLEWARE=order):
        (error,) = check_middleware()
    assert error.id == "pat_tokens.E002"
    assert f" {hint} " in error.hint


@pytest.mark.parametrize("order", [[BEFORE[-1], MIDDLEWARE], [BEFORE[-1], HIDES, MIDDLEWARE]])
def test_token_that_the_host_sees(order) -> None:
    with override_settings(MIDDLEWARE=order):
        (warning,) = check_middleware()
    assert warning.id == "pat_tokens.W004"
    with override_settings(MIDDLEWARE=[HIDES, BEFORE[-1], MIDDLEWARE]):
        assert check_middleware() == []


def test_role_that_row_level_security_binds(db) -> None:
    assert check_database_role() == []


def test_role_that_bypasses_row_level_security(monkeypatch) -> None:
    monkeypatch.setattr("pat_tokens.checks.connection", answering(("postgres", True)))
    (error,) = check_database_role()
    assert error.id == "pat_tokens.E003"
    assert "postgres" in error.msg


def test_database_that_does_not_answer(monkeypatch) -> None:
    def fail() -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(
        "pat_tokens.checks.connection", SimpleNamespace(vendor="postgresql", cursor=fail)
    )
    (warning,) = check_database_role()
    assert warning.id == "pat_tokens.W002"


def test_database_without_row_level_security(monkeypatch) -> None:
    monkeypatch.setattr("pat_tokens.checks.connection", SimpleNamespace(vendor="sqlite"))
    (error,) = check_database_role()
    assert error.id == "pat_tokens.E004"


def test_deployment_check_names_them(db) -> None:
    with override_settings(MIDDLEWARE=[]):
        found = {message.id for message in run_checks(include_deployment_checks=True)}
    assert "pat_tokens.W001" in found


def answering(row):
    @contextmanager
    def cursor():
        yield SimpleNamespace(execute=lambda query: None, fetchone=lambda: row)

    return SimpleNamespace(vendor="postgresql", cursor=cursor)


@pytest.mark.parametrize(
    "issuer",
    ["http://crm.example.com", "https://crm.example.com/", "crm.example.com", "https://a/b"],
)
def test_issuer_that_is_no_origin(settings, issuer) -> None:
    settings.PAT_TOKENS_ISSUER = issuer
    assert [each.id for each in check_issuer()] == ["pat_tokens.E005"]


def test_no_page_to_allow_clients(settings) -> None:
    settings.PAT_TOKENS_ISSUER = "https://crm.example.com"
    assert check_issuer() == []
    settings.ROOT_URLCONF = "demo_crm.urls"
    assert [each.id for each in check_issuer()] == ["pat_tokens.E006"]
    settings.PAT_TOKENS_CONSENT_URL = "https://app.example.com/consent"
    assert check_issuer() == []


@pytest.mark.parametrize(
    "url",
    ["/connect", "http://app.example.com/connect", "https:///connect", "https://a.example/?to=1"],
)
def test_consent_page_that_is_no_address(settings, url) -> None:
    settings.PAT_TOKENS_ISSUER = "https://crm.example.com"
    settings.PAT_TOKENS_CONSENT_URL = url
    [error] = check_issuer()
    assert error.id == "pat_tokens.E005"
    assert "PAT_TOKENS_CONSENT_URL" in error.msg


@pytest.mark.parametrize("path", ["nowhere.Login", "pat_tokens.sign_in.email_code.Login", "os.sep"])
def test_sign_in_that_is_none(settings, path) -> None:
    assert check_sign_in() == []
    settings.PAT_TOKENS_SIGN_IN = path
    assert [each.id for each in check_sign_in()] == ["pat_tokens.E007"]


def test_code_that_no_host_mails(settings) -> None:
    del settings.PAT_TOKENS_SIGN_IN
    assert check_sign_in() == []
    settings.ROOT_URLCONF = "tests.pat_tokens.sign_in.without_endpoints"
    assert [each.id for each in check_sign_in()] == ["pat_tokens.W003"]


def test_sessions_that_no_sign_out_ends(settings) -> None:
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
    assert [each.id for each in check_sign_in()] == ["pat_tokens.E008"]
