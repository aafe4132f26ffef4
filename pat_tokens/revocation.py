"""The end of a token: by its owner, by an administrator, or by whoever found it."""

import logging
from collections.abc import Iterable
from typing import Any

from django.core.mail import send_mail
from django.views.decorators.debug import sensitive_variables

from pat_tokens import events, host
from pat_tokens import secret as token_secret
from pat_tokens.local_setting import in_organisation
from pat_tokens.models import Event, Token
from pat_tokens.oauth.connections import end_connection
from pat_tokens.people import email_of, name_of
from pat_tokens.resolver import find_token

logger = logging.getLogger("pat_tokens")

FINDER = "someone who held the token"
LEAK_SUBJECT = "Your access token {name} was revoked"
LEAK_BODY = """Hello {person},

someone who held your access token "{name}" ({prefix}…) reported it as leaked, and it was
revoked at once. Nothing can be done with it any more.

If you still need it, create a new one under Settings → API Tokens, or connect again. If
you did not report it yourself, find out where the token was stored: it was readable there.
"""


def revoke(token: Token, by: Any, detail: str = "") -> None:
    """At once, for good; a second call changes nothing. `by` is the owner-model row of who did."""
    with in_organisation(token.org_id):
        if token.revoke(by=email_of(by)):
            _log(token, by=by, detail=detail)


def revoke_all(tokens: Iterable[Token], by: Any, detail: str) -> int:
    live = [token for token in tokens if token.revoked_at is None]
    for token in live:
        revoke(token, by, detail)
    return len(live)


@sensitive_variables("secret")
def revoke_leaked(secret: str) -> bool:
    """Revoke the token whose secret was found, and tell its owner. False if nothing was open."""
    token = find_token(secret)
    if token is None:
        return _revoke_leaked_of_host(secret)
    if token.status != "active" or not token.accepts(token_secret.digest(secret)):
        return False
    if token.connection is not None:
        if not end_connection(token.connection, detail="an access token was reported as leaked"):
            return False
    elif not _revoke_reported(token):
        return False
    _tell_owner(token.owner, token.name, token.prefix)
    return True


def _revoke_reported(token: Token) -> bool:
    with in_organisation(token.org_id):
        revoked = token.revoke(by=FINDER)
        if revoked:
            _log(token, detail="reported as leaked")
    return revoked


@sensitive_variables("secret")
def _revoke_leaked_of_host(secret: str) -> bool:
    token = host.revoke_by_digest(token_secret.digest(secret))
    if token is None:
        return False
    events.record(
        Event.Kind.REVOKED,
        org_id=token.org_id,
        token_id=token.pk,
        token_name=token.name,
        token_prefix=token.token_prefix,
        detail="reported as leaked",
    )
    _tell_owner(token.profile, token.name, token.token_prefix)
    return True


def _log(token: Token, by: Any = None, detail: str = "") -> None:
    events.record(Event.Kind.REVOKED, org_id=token.org_id, by=by, token=token, detail=detail)


def _tell_owner(owner: Any, name: str, prefix: str) -> None:
    body = LEAK_BODY.format(person=name_of(owner), name=name, prefix=prefix)
    subject = LEAK_SUBJECT.format(name=" ".join(name.split()))
    try:
        send_mail(subject, body, None, [email_of(owner)])
    except OSError:
        # The token is revoked all the same.
        logger.exception("The owner of token %s could not be mailed", prefix)
