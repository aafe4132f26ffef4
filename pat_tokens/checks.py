"""System checks: what would make tokens fail or leak, found at start-up."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.core.exceptions import FieldDoesNotExist, ImproperlyConfigured
from django.db import DatabaseError, connection
from django.db.models import Model
from django.urls import NoReverseMatch, Resolver404, resolve, reverse

from pat_tokens.conf import token_settings
from pat_tokens.sign_in.base import SignIn
from pat_tokens.sign_in.destinations import home
from pat_tokens.sign_in.email_code import REQUEST, EmailCode

MIDDLEWARE = "pat_tokens.middleware.TokenContext"
HIDES = "pat_tokens.middleware.HideToken"
# Takes a token of ours for one of the host's own.
IDENTIFIES = "common.middleware.get_company.GetProfileAndOrg"
# BottleCRM's, and Django's: what has to have spoken before, and what relies on the result.
BEFORE = (
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "crum.CurrentRequestUserMiddleware",
    IDENTIFIES,
)
AFTER = (
    "common.middleware.rls_context.RequireOrgContext",
    "common.middleware.rls_context.SetOrgContext",
)
OWNER_FIELDS = ("user", "org", "is_active")

AppConfigs = Sequence[AppConfig] | None


@register()
def check_owner_model(app_configs: AppConfigs = None, **kwargs: Any) -> list[CheckMessage]:
    label = token_settings.owner_model
    try:
        model = apps.get_model(label)
    except LookupError:
        return [_owner_error(f"PAT_TOKENS_OWNER_MODEL names {label}, which is not installed.")]
    if missing := [name for name in OWNER_FIELDS if not _has_field(model, name)]:
        return [_owner_error(f"{label} owns tokens but has no field {', '.join(missing)}.")]
    org = model._meta.get_field("org").related_model
    if isinstance(org, type) and not _has_field(org, "is_active"):
        return [_owner_error(f"The organisation of {label} has no field is_active.")]
    return []


def _has_field(model: type[Model], name: str) -> bool:
    try:
        model._meta.get_field(name)
    except FieldDoesNotExist:
        return False
    return True


def _owner_error(message: str) -> Error:
    hint = (
        "Name the model that joins a user and an organisation, with user, org and is_active; "
        "the organisation has is_active too."
    )
    return Error(message, hint=hint, id="pat_tokens.E001")


@register()
def check_middleware(app_configs: AppConfigs = None, **kwargs: Any) -> list[CheckMessage]:
    installed = list(settings.MIDDLEWARE)
    if MIDDLEWARE not in installed:
        return [
            Warning(
                "Personal access tokens give no organisation context.",
                hint=f"Add {MIDDLEWARE} to MIDDLEWARE, before what sets app.current_org.",
                id="pat_tokens.W001",
            )
        ]
    place = installed.index(MIDDLEWARE)
    too_late = [name for name in BEFORE if name in installed[place:]]
    too_early = [name for name in AFTER if name in installed[:place]]
    return [
        *(_order_error("after", name) for name in too_late),
        *(_order_error("before", name) for name in too_early),
        *_visible_token(installed),
    ]


def _visible_token(installed: list[str]) -> list[CheckMessage]:
    """Whether the host looks for our tokens among its own."""
    if IDENTIFIES not in installed or HIDES in installed[: installed.index(IDENTIFIES)]:
        return []
    return [
        Warning(
            "The host looks for each token among its own, and logs those made here as invalid.",
            hint=f"In MIDDLEWARE, add {HIDES} before {IDENTIFIES}.",
            id="pat_tokens.W004",
        )
    ]


def _order_error(where: str, name: str) -> CheckMessage:
    return Error(
        f"{MIDDLEWARE} is on the wrong side of {name}.",
        hint=f"In MIDDLEWARE, move {MIDDLEWARE} {where} {name}.",
        id="pat_tokens.E002",
    )


@register(deploy=True)
def check_database_role(app_configs: AppConfigs = None, **kwargs: Any) -> list[CheckMessage]:
    if connection.vendor != "postgresql":
        return [
            Error(
                f"Tokens are not protected on {connection.vendor}: it has no row-level security.",
                hint="Use PostgreSQL.",
                id="pat_tokens.E004",
            )
        ]
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT rolname, rolsuper OR rolbypassrls FROM pg_roles "
                "WHERE rolname = current_user"
            )
            role, bypasses = cursor.fetchone()
    except DatabaseError as problem:
        return [
            Warning(
                f"The database role could not be checked: {problem}",
                hint="Run the check where the database answers.",
                id="pat_tokens.W002",
            )
        ]
    if not bypasses:
        return []
    return [
        Error(
            f"The database role {role!r} bypasses row-level security (superuser or BYPASSRLS).",
            hint="Connect with an ordinary role, so that each organisation sees its own tokens.",
            id="pat_tokens.E003",
        )
    ]


@register()
def check_issuer(app_configs: AppConfigs = None, **kwargs: Any) -> list[CheckMessage]:
    try:
        if not token_settings.issuer or token_settings.consent_url:
            return []
        reverse("pat_tokens_page:consent")
    except ImproperlyConfigured as problem:
        return [Error(str(problem), id="pat_tokens.E005")]
    except NoReverseMatch:
        return [
            Error(
                "PAT_TOKENS_ISSUER lets clients connect, but people have no page to allow it.",
                hint="Include pat_tokens.page_urls, or set PAT_TOKENS_CONSENT_URL to a page of "
                "your own.",
                id="pat_tokens.E006",
            )
        ]
    return []


@register()
def check_sign_in(app_configs: AppConfigs = None, **kwargs: Any) -> list[CheckMessage]:
    try:
        way = token_settings.sign_in
    except ImportError as problem:
        return [_sign_in_error(f"PAT_TOKENS_SIGN_IN can't be imported: {problem}")]
    if not (isinstance(way, type) and issubclass(way, SignIn)):
        return [_sign_in_error(f"PAT_TOKENS_SIGN_IN is no subclass of SignIn: {way!r}")]
    if home() and settings.SESSION_ENGINE.endswith("signed_cookies"):
        return [
            Error(
                "A sign-out from the pages would end nothing: sessions are kept in cookies only.",
                hint="Set SESSION_ENGINE to one that keeps sessions on the server.",
                id="pat_tokens.E008",
            )
        ]
    if home() and issubclass(way, EmailCode) and not _resolves(REQUEST):
        return [
            Warning(
                f"Nobody can sign in to the pages: the host has no {REQUEST}.",
                hint="Set PAT_TOKENS_SIGN_IN.",
                id="pat_tokens.W003",
            )
        ]
    return []


def _resolves(path: str) -> bool:
    try:
        resolve(path)
    except Resolver404:
        return False
    return True


def _sign_in_error(message: str) -> Error:
    hint = (
        "Name pat_tokens.sign_in.email_code.EmailCode, pat_tokens.sign_in.django_login.DjangoLogin "
        "or a subclass of pat_tokens.sign_in.base.SignIn of your own."
    )
    return Error(message, hint=hint, id="pat_tokens.E007")
