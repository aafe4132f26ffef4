import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from pat_tokens.checks import check_middleware, check_owner_model
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
