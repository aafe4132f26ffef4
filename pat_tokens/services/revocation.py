"""Revocation of a token: by its owner, by an administrator, or by whoever found it."""

import logging
from typing import Any
from uuid import UUID

from django.core.mail import send_mail
from django.db.models import Q
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from pat_tokens import secret as token_secret
from pat_tokens.audit import events
from pat_tokens.host.owners import email_of, lock_members, member_of, name_of
from pat_tokens.host.tokens import HostTokens, revoke_by_digest
from pat_tokens.models import Connection, Event, Token
from pat_tokens.oauth.connections import NEEDED as NEEDED_OF_CONNECTION
from pat_tokens.oauth.connections import connection_of, end_connection, end_every
from pat_tokens.rls import in_organisation, presenting

logger = logging.getLogger("pat_tokens")

NEEDED = ("name", "prefix", "org_id", "owner", "connection")
BY_ADMIN = "by an administrator"
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
            events.record(
                Event.Kind.REVOKED, org_id=token.org_id, by=by, token=token, detail=detail
            )


def revoke_by_id(pk: UUID, *, by: Any, person: Any = None, detail: str = "") -> bool:
    """End a token of the organisation of `by`, or of one person in it.

    False if there is no such token; true also if it was revoked before.
    """
    with in_organisation(by.org_id):
        row = find(by.org_id, pk, person=person)
        if isinstance(row, Token):
            revoke(row, by=by, detail=detail)
        elif row is not None and HostTokens.where(org_id=by.org_id, pk=pk).revoke():
            _log_host_token(row, by=by, detail=detail)
    return row is not None


def find(org_id: Any, pk: UUID, *, person: Any = None) -> Any:
    """The token, or the host's own, with `name` and `profile`; None if there is no such.

    Only what a revocation has to know is loaded: no column can keep it from happening.
    """
    ours, _ = _of(person)
    with in_organisation(org_id):
        tokens = Token.objects.personal().select_related("owner__user").only(*NEEDED)
        if token := tokens.filter(org_id=org_id, pk=pk, **ours).first():
            return token
        return HostTokens.of(org_id, person).find(pk)


def names_of(found: Any) -> tuple[str, str]:
    """Name and display prefix of what `find` gave."""
    return found.name, found.prefix if isinstance(found, Token) else found.token_prefix


def revoke_every(admin: Any, person: Any = None) -> int:
    """End all tokens and connections of the organisation, or of one person in it.

    In one statement for each table; returns how many. Also those that have expired, which a change
    of the policy could bring back.
    """
    ours, theirs = _of(person)
    with in_organisation(admin.org_id):
        whose = "the organisation" if person is None else _name_in_log(admin.org_id, person)
        # Whoever makes a token at this moment has made it before, or sees that they may not.
        lock_members(admin.org_id, person)
        # Before the tokens, as in `end_connection`.
        connections = end_every(admin, person)
        live = Token.objects.filter(org_id=admin.org_id, revoked_at=None, **ours)
        count: int = live.personal().count()
        live.update(revoked_at=timezone.now(), revoked_by=email_of(admin))
        count += HostTokens.where(org_id=admin.org_id, **theirs).revoke()
        if count or connections:
            ended = f", {connections} connections" if connections else ""
            events.record(
                Event.Kind.REVOKED,
                org_id=admin.org_id,
                by=admin,
                detail=f"all of {whose}: {count} tokens{ended}",
            )
    return count + connections


def _of(person: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The conditions for one person's tokens, in our table and the host's; none for None."""
    return ({}, {}) if person is None else ({"owner_id": person}, {"profile_id": person})


def _name_in_log(org_id: Any, person: Any) -> str:
    member = member_of(org_id, person)
    return email_of(member) if member else str(person)


@sensitive_variables("secret")
def revoke_leaked(secret: str) -> bool:
    """Revoke the token whose secret was found, and tell its owner. False if nothing was open.

    Also one that has expired: a change of the policy could bring it back. A refresh token's
    connection ends, also by one that was replaced: it lay where it was found all the same.
    """
    if secret.startswith(token_secret.REFRESH_PREFIX):
        return _end_leaked(secret)
    digest = token_secret.digest(secret)
    replaced = Q(previous_digest=digest, previous_expires_at__gt=timezone.now())
    with presenting(digest):
        tokens = Token.objects.select_related("owner__user").only(*NEEDED)
        token = tokens.filter(Q(digest=digest) | replaced, revoked_at=None).first()
    if token is None:
        return _revoke_leaked_of_host(digest)
    with in_organisation(token.org_id):
        if not _revoke_reported(token):
            return False
    _tell_owner(token.owner, token.name, token.prefix)
    return True


@sensitive_variables("secret")
def _end_leaked(secret: str) -> bool:
    connection = connection_of(secret)
    if connection is None:
        return False
    if not end_connection(connection, detail="a refresh token was reported as leaked"):
        return False
    with in_organisation(connection.org_id):
        owner = connection.owner
    _tell_owner(owner, connection.client_name, token_secret.display_prefix(secret))
    return True


def _revoke_reported(token: Token) -> bool:
    if token.connection_id is not None:
        connection = Connection.objects.only(*NEEDED_OF_CONNECTION).get(pk=token.connection_id)
        return end_connection(connection, detail="an access token was reported as leaked")
    if revoked := token.revoke(by=FINDER):
        events.record(
            Event.Kind.REVOKED, org_id=token.org_id, token=token, detail="reported as leaked"
        )
    return revoked


def _revoke_leaked_of_host(digest: str) -> bool:
    token = revoke_by_digest(digest)
    if token is None:
        return False
    _log_host_token(token, detail="reported as leaked")
    _tell_owner(token.profile, token.name, token.token_prefix)
    return True


def _log_host_token(row: Any, by: Any = None, detail: str = "") -> None:
    events.record(
        Event.Kind.REVOKED,
        org_id=row.org_id,
        by=by,
        token_id=row.pk,
        token_name=row.name,
        token_prefix=row.token_prefix,
        detail=detail,
    )


def _tell_owner(owner: Any, name: str, prefix: str) -> None:
    body = LEAK_BODY.format(person=name_of(owner), name=name, prefix=prefix)
    subject = LEAK_SUBJECT.format(name=" ".join(name.split()))
    try:
        send_mail(subject, body, None, [email_of(owner)])
    except OSError:
        # The token is revoked all the same.
        logger.exception("The owner of token %s could not be mailed", prefix)
