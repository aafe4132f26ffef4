"""Usage of a token: when, from where, and what was refused."""

import logging
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from pat_tokens.audit import events
from pat_tokens.audit.source import current_source
from pat_tokens.models import Connection, Event, Token
from pat_tokens.rls import in_organisation, presenting

logger = logging.getLogger("pat_tokens")

RECORDED_EVERY = timedelta(minutes=1)


def record_use(token: Token) -> None:
    """Write the last use, at most once a minute."""
    now = timezone.now()
    due = now - RECORDED_EVERY
    if token.last_used_at is not None and token.last_used_at > due:
        return
    source = current_source()
    unrecorded = Q(last_used_at=None) | Q(last_used_at__lte=due)
    # Not save(): it would write back `revoked_at` as this instance read it, and undo a
    # revocation made since.
    with presenting(token.digest):
        Token.objects.filter(unrecorded, pk=token.pk).update(
            last_used_at=now, last_used_address=source.address, last_used_client=source.client
        )
    known = token.last_used_address
    if token.connection is not None:
        known = token.connection.last_used_address
        _record_use_of_connection(token.connection, now)
    if source.address and source.address != known:
        _record_new_address(token, source.address)
    token.last_used_at = now


def _record_use_of_connection(connection: Connection, now: datetime) -> None:
    source = current_source()
    with in_organisation(connection.org_id):
        Connection.objects.filter(pk=connection.pk).update(
            last_used_at=now, last_used_address=source.address, last_used_client=source.client
        )


def record_first_mcp_request(token: Token) -> None:
    if token.first_mcp_at is not None:
        return
    token.first_mcp_at = timezone.now()
    with presenting(token.digest):
        Token.objects.filter(pk=token.pk, first_mcp_at=None).update(first_mcp_at=token.first_mcp_at)


def record_refusal(token: Token, reason: str) -> None:
    """Tell the owner and the log, at most once a minute while the reason stays the same."""
    reason = events.fitting(Token, "last_refusal", reason)
    extra = {"token": token.prefix, "reason": reason}
    logger.warning("Token %s refused: %s", token.prefix, reason, extra=extra)
    now = timezone.now()
    recent = Q(last_refused_at__gt=now - RECORDED_EVERY, last_refusal=reason)
    with presenting(token.digest):
        news = Token.objects.filter(~recent, pk=token.pk).update(
            last_refused_at=now, last_refusal=reason
        )
    if news:
        events.record_refused(
            Event.Kind.REFUSED, org_id=token.org_id, by=token.owner, token=token, detail=reason
        )


def _record_new_address(token: Token, address: str) -> None:
    kind = Event.Kind.NEW_ADDRESS
    with in_organisation(token.org_id):
        known = Event.objects.filter(token_id=token.credential_id, kind=kind, address=address)
        if not known.exists():
            events.record(kind, org_id=token.org_id, by=token.owner, token=token)
