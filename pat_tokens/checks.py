from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning
from django.core.exceptions import FieldDoesNotExist

from pat_tokens.conf import token_settings

MIDDLEWARE = "pat_tokens.middleware.TokenContext"


def check_owner_model(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    label = token_settings.owner_model
    try:
        fields = apps.get_model(label)._meta
    except LookupError:
        return [_owner_error(f"PAT_TOKENS_OWNER_MODEL names {label}, which is not installed.")]
    missing = []
    for name in ("user", "org", "is_active"):
        try:
            fields.get_field(name)
        except FieldDoesNotExist:
            missing.append(name)
    if missing:
        return [_owner_error(f"{label} owns tokens but has no field {', '.join(missing)}.")]
    return []


def _owner_error(message: str) -> Error:
    hint = "Name the model that joins a user and an organisation, with user, org and is_active."
    return Error(message, hint=hint, id="pat_tokens.E001")


def check_middleware(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    if MIDDLEWARE in settings.MIDDLEWARE:
        return []
    return [
        Warning(
            "Personal access tokens give no organisation context.",
            hint=f"Add {MIDDLEWARE} to MIDDLEWARE, before what sets app.current_org.",
            id="pat_tokens.W001",
        )
    ]
