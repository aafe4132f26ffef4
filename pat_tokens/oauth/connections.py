"""Connections: which ones a person and an organisation have, and how they end."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from pat_tokens import events
from pat_tokens import secret as token_secret
from pat_tokens.local_setting import in_organisation, presenting
from pat_tokens.models import Connection, Event, RefreshToken, Token
from pat_tokens.people import email_of
from pat_tokens.resolver import find_token

# How long one that ended is still listed.
SHOWN = timedelta(days=30)


def org_connections(org_id: Any, **filters: Any) -> list[Connection]:
    """Newest first: those that live, and those that ended of late."""
    now = timezone.now()
    recent = Q(ended_at=None) | Q(ended_at__gt=now - SHOWN)
    recent &= Q(idle_expires_at__gt=now - SHOWN, expires_at__gt=now - SHOWN)
    with in_organisation(org_id):
        rows = Connection.objects.governed().select_related("owner__user")
        rows = rows.filter(recent, org_id=org_id, redeemed_at__isnull=False, **filters)
        return list(rows.order_by("-created_at"))


def own_connections(owner: Any, **filters: Any) -> list[Connection]:
    return org_connections(owner.org_id, owner=owner, **filters)


def end_own(owner: Any, pk: UUID) -> bool:
    """False if the person has no such connection; true also if it had ended before."""
    found = own_connections(owner, pk=pk)
    for connection in found:
        end_connection(connection, by=owner)
    return bool(found)


def end_one(admin: Any, pk: UUID) -> bool:
    """False if the organisation has no such connection; true also if it had ended before."""
    found = org_connections(admin.org_id, pk=pk)
    for connection in found:
        end_connection(connection, by=admin, detail="by an administrator")
    return bool(found)


def end_every(admin: Any, detail: str, **filters: Any) -> int:
    """End the live connections of an organisation, or those that the filters leave."""
    live = [each for each in org_connections(admin.org_id, **filters) if each.status == "active"]
    for connection in live:
        end_connection(connection, by=admin, detail=detail)
    return len(live)


def end_connection(
    connection: Connection,
    by: Any = None,
    detail: str = "",
    kind: Event.Kind = Event.Kind.DISCONNECTED,
) -> bool:
    """At once and for good, with all its tokens; false if it had ended before."""
    now = timezone.now()
    person = email_of(by) if by is not None else ""
    reason = "" if by is not None else f"{detail[:1].upper()}{detail[1:]}."
    with in_organisation(connection.org_id):
        # Before its tokens: whoever issues another one holds this row.
        ended = Connection.objects.filter(pk=connection.pk, ended_at=None).update(
            ended_at=now, ended_by=person, end_reason=reason
        )
        Token.objects.filter(connection_id=connection.pk, revoked_at=None).update(
            revoked_at=now, revoked_by=person
        )
        if ended:
            events.record(
                kind, org_id=connection.org_id, by=by, connection=connection, detail=detail
            )
    return bool(ended)


@sensitive_variables("secret")
def end_presented(secret: str, client_id: str) -> None:
    """RFC 7009: end the connection whose access or refresh token this is, if the client's own."""
    connection = _connection_of(secret)
    if connection is not None and connection.client_id == client_id:
        end_connection(connection, detail=f"by {connection.client_name}")


def _connection_of(secret: str) -> Connection | None:
    if secret.startswith(token_secret.REFRESH_PREFIX):
        digest = token_secret.digest(secret)
        with presenting(digest):
            row = RefreshToken.objects.filter(digest=digest).first()
        if row is None:
            return None
        with in_organisation(row.org_id):
            found: Connection | None = Connection.objects.filter(pk=row.connection_id).first()
        return found
    token = find_token(secret)
    return token.connection if token is not None else None
