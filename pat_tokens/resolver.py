"""From a secret to the token it belongs to."""

import logging

from rest_framework.exceptions import AuthenticationFailed

from pat_tokens import secret as token_secret
from pat_tokens.lookup import presenting
from pat_tokens.models import Token

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


class InactiveOwner(TokenRejected):
    default_detail = "The owner of this token is not active."


def resolve_token(secret: str) -> Token:
    """The active token of this secret, with its owner, user and organisation."""
    try:
        token = _find(secret)
        _require_active(token)
    except TokenRejected as rejection:
        prefix = token_secret.display_prefix(secret)
        reason = type(rejection).__name__
        logger.warning(
            "Token %s rejected: %s", prefix, reason, extra={"token": prefix, "reason": reason}
        )
        raise
    return token


def _find(secret: str) -> Token:
    if not token_secret.is_plausible(secret):
        raise UnknownToken
    digest = token_secret.digest(secret)
    tokens = Token.objects.select_related("owner__user", "owner__org")
    with presenting(digest):
        token = tokens.filter(digest=digest).first()
    if token is None:
        raise UnknownToken
    return token


def _require_active(token: Token) -> None:
    if token.status == "revoked":
        raise RevokedToken
    if token.status == "expired":
        raise ExpiredToken
    owner = token.owner
    if not (owner.is_active and owner.user.is_active and owner.org.is_active):
        raise InactiveOwner
