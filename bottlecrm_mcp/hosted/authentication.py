"""Bearer authentication: from the token in a request's header to the caller."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string
from rest_framework.exceptions import AuthenticationFailed

from bottlecrm_mcp.conf import mcp_settings
from bottlecrm_mcp.gateway.base import SHOWN_CHARACTERS, TOKEN_PREFIX, Caller
from bottlecrm_mcp.hosted import oauth, token_policy

logger = logging.getLogger("bottlecrm_mcp")

SCHEME = "bearer "
QUOTES = tuple("\"'`\u201c\u2018\u00ab")

# From a secret to a token; raises DRF's AuthenticationFailed.
Resolver = Callable[[str], Any]
KNOWN_RESOLVERS = {
    "pat_tokens": "pat_tokens.resolver.resolve_token",
    # BottleCRM's own tokens.
    "common": "common.pat_auth.resolve_valid_pat",
}


class Unauthorized(Exception):
    """No caller. `presented` tells whether a credential came at all.

    The message is sent in a header: ASCII without quotes and backslashes (RFC 6750, section 3).
    """

    def __init__(self, message: str, *, presented: bool) -> None:
        super().__init__(message)
        self.presented = presented


def bearer_secret(header: str) -> str:
    """The token in an Authorization header. Raises `Unauthorized`."""
    if not header:
        raise Unauthorized(_how_to_start(), presented=False)
    secret = header[len(SCHEME) :].strip() if header.lower().startswith(SCHEME) else ""
    if not secret.startswith(TOKEN_PREFIX) or not secret.isascii():
        raise Unauthorized(_mistake(header.strip()), presented=True)
    return secret


def _how_to_start() -> str:
    by_token = "a personal access token: Authorization: Bearer bcrm_pat_..."
    if not oauth.is_on():
        return f"Send {by_token}"
    return f"Sign in by OAuth, as resource_metadata in WWW-Authenticate says, or send {by_token}"


def _mistake(header: str) -> str:
    """What is wrong with an Authorization header, as far as it is a common mistake."""
    value = header[len(SCHEME) :].strip() if header.lower().startswith(SCHEME) else header
    if value.startswith(("$", "%", "{", "<")):
        return "The client sent the name of a variable in place of the token: set the variable."
    if value[:1] in QUOTES:
        return "The token is in quotation marks: leave them out."
    if value.lower().startswith(SCHEME):
        return "The header says Bearer twice: once is enough."
    if header.startswith(TOKEN_PREFIX):
        return "The header lacks the word Bearer before the token."
    if oauth.is_on():
        return "Only tokens of this CRM (bcrm_pat_...) are accepted: sign in again, or create one."
    return "Only personal access tokens (bcrm_pat_...) are accepted."


def shown_prefix(secret: str) -> str:
    """As much of a secret as its owner's list of tokens shows of it."""
    return secret[: len(TOKEN_PREFIX) + SHOWN_CHARACTERS]


def authenticate(secret: str) -> Caller:
    """The caller whose token this is, from the first source that knows it.

    Uses the database. Raises `Unauthorized`, `token_policy.NotAdmitted`, and `ImproperlyConfigured`
    without any source.
    """
    for resolve in token_resolvers():
        try:
            token = resolve(secret)
        except AuthenticationFailed:
            continue
        return token_policy.admitted(caller_of(token), token)
    logger.warning("No token source accepts %s", shown_prefix(secret))
    again = " Sign in again, or create a new one." if oauth.is_on() else ""
    raise Unauthorized(
        "This token is not valid: it is unknown, revoked, expired or paused, or its owner is "
        f"inactive.{again}",
        presented=True,
    )


def token_resolvers() -> list[Resolver]:
    """The token sources in the settings; by default those of the apps that are installed."""
    paths = mcp_settings().TOKEN_RESOLVERS or [
        path for app, path in KNOWN_RESOLVERS.items() if apps.is_installed(app)
    ]
    if not paths:
        raise ImproperlyConfigured(
            "No token source: add 'pat_tokens' to INSTALLED_APPS or set "
            "BOTTLECRM_MCP['TOKEN_RESOLVERS']."
        )
    return [import_string(path) for path in paths]


def caller_of(token: Any) -> Caller:
    """A token of any source has `profile` (user, role), `org`, `scopes` and `id`."""
    profile, org = token.profile, token.org
    user = profile.user
    by_oauth = getattr(token, "connection_id", None) is not None
    return Caller(
        profile_id=str(profile.pk),
        name=getattr(user, "name", "") or user.email,
        email=user.email,
        role=profile.role,
        org_id=str(org.pk),
        org_name=org.name or "",
        timezone=getattr(org, "timezone", None) or "UTC",
        user_id=str(user.pk),
        # Of a connection, whose access tokens change: limits and repeated calls go by what stays.
        token_id=str(getattr(token, "credential_id", token.pk)),
        own_token=hasattr(token, "credential_id"),
        by_oauth=by_oauth,
        client_host=getattr(getattr(token, "connection", None), "redirect_host", ""),
        secret_since="" if by_oauth else str(getattr(token, "issued_at", "")),
        scopes=tuple(token.scopes or ()),
    )
