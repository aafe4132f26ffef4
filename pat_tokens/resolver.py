"""Token resolver: from a secret to the token it belongs to."""

import logging

from django.views.decorators.debug import sensitive_variables
from rest_framework.exceptions import AuthenticationFailed

from pat_tokens import secret as token_secret
from pat_tokens.audit.usage import record_refusal
from pat_tokens.conf import token_settings
from pat_tokens.lookup import look_up
from pat_tokens.models import Connection, Token
from pat_tokens.request_cache import cached
from pat_tokens.stand_in import digest_of

logger = logging.getLogger("pat_tokens")


class TokenRejected(AuthenticationFailed):
    """The secret opens nothing. The message may be shown to whoever presented it."""

    default_detail = "This token is not valid."


class UnknownToken(TokenRejected):
    default_detail = "This token is not known."


class RevokedToken(TokenRejected):
    default_detail = "This token has been revoked."


class ExpiredToken(TokenRejected):
    default_detail = "This token has expired."


class PausedToken(TokenRejected):
    default_detail = (
        "This token is paused. Its owner can let it go on, under Settings → API Tokens."
    )


class RotatedToken(TokenRejected):
    default_detail = "This token was rotated, and the time to change over has passed."


class ForeignToken(TokenRejected):
    default_detail = "This token was issued for another resource."


class InactiveOwner(TokenRejected):
    default_detail = "The owner of this token is not active."


@sensitive_variables("secret")
def resolve_token(secret: str) -> Token:
    """The active token of this secret, with its owner, user, organisation and policy."""
    token = find_token(secret)
    if token is None:
        raise UnknownToken
    try:
        _require_active(token, digest_of(secret))
    except TokenRejected as rejection:
        record_refusal(token, str(rejection.detail))
        raise
    return token


@sensitive_variables("secret")
def resolve_presented(secret: str) -> Token:
    """The same, of a secret that nobody else will know: an unknown one is logged."""
    try:
        return resolve_token(secret)
    except UnknownToken:
        # Whose it might be is not known, so the server's log is the only place to tell.
        prefix = token_secret.display_prefix(secret)
        extra = {"token": prefix, "reason": "UnknownToken"}
        logger.warning("Token %s is not known", prefix, extra=extra)
        raise


@sensitive_variables("secret")
def find_token(secret: str) -> Token | None:
    """The token of this secret, whatever its state."""
    if not token_secret.is_plausible(secret):
        return None
    digest = digest_of(secret)
    return cached(("token", digest), lambda: look_up(digest))


def _require_active(token: Token, digest: str) -> None:
    if token.status == "revoked":
        raise RevokedToken
    if token.status == "expired":
        raise ExpiredToken
    if token.status == "paused":
        raise PausedToken
    if not token.accepts(digest):
        raise RotatedToken
    if token.connection is not None:
        _require_ours(token.connection)
    owner = token.owner
    if not (owner.is_active and owner.user.is_active and owner.org.is_active):
        raise InactiveOwner


def _require_ours(connection: Connection) -> None:
    if connection.ended_at is not None:
        raise RevokedToken
    if connection.resource != token_settings.resource:
        raise ForeignToken
