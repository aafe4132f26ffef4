"""Connections: which ones a person and an organisation have, and how they end."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import F, Q
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from pat_tokens import secret as token_secret
from pat_tokens.audit import events
from pat_tokens.conf import token_settings
from pat_tokens.host.owners import email_of
from pat_tokens.lists.listing import connection_sections
from pat_tokens.lists.paging import Page, read_page
from pat_tokens.models import Connection, Event, RefreshToken, Token
from pat_tokens.models.connection import is_live
from pat_tokens.resolver import find_token
from pat_tokens.rls import in_organisation, presenting
from pat_tokens.secret import is_plausible
from pat_tokens.services.policy import policy_of

# How the reason of an end by the client begins.
BY_CLIENT = "By "
# What a client did before it asks anew.
LATELY = timedelta(minutes=10)
# What ending one has to know; no other column can keep it from happening.
NEEDED = ("client_id", "client_name", "org_id", "owner")


def connection_page(
    org_id: Any, *, person: Any = None, state: str = "", search: str = "", **position: Any
) -> Page:
    """A page of the connections, of all or of one person, in any or in one state.

    `state` is a key of `TokenFilter.STATES`, `search` a part of the client's name, `position` that
    of `read_page`.
    """
    with in_organisation(org_id):
        rows = Connection.objects.redeemed().governed().select_related("owner__user")
        rows = rows.filter(org_id=org_id, client_name__icontains=search, **_of(person))
        return read_page(connection_sections(policy_of(org_id), rows, state), **position)


def count_live(org_id: Any, person: Any = None) -> int:
    """Those of the organisation, or of one person, whose client has fetched its tokens."""
    with in_organisation(org_id):
        live = is_live(policy_of(org_id))
        rows = Connection.objects.redeemed().filter(live, org_id=org_id, **_of(person))
        count: int = rows.count()
    return count


def has_too_many(person: Any) -> bool:
    """Whether the person may make no more; what a client is about to fetch counts too."""
    with in_organisation(person.org_id):
        live = is_live(policy_of(person.org_id))
        rows = Connection.objects.filter(live, org_id=person.org_id, owner_id=person.pk)
        return bool(rows.count() >= token_settings.max_live)


def earlier_connection(owner: Any, client_id: str) -> Connection | None:
    """The person's connection of this client; of several the one that was used last.

    A live one, or one that the client itself has ended just now: some do so before they ask anew.
    """
    with in_organisation(owner.org_id):
        rows = Connection.objects.redeemed().governed()
        given_up = Q(ended_at__gt=timezone.now() - LATELY, end_reason__startswith=BY_CLIENT)
        known = rows.filter(is_live(policy_of(owner.org_id)) | given_up, client_id=client_id)
        newest = (F("last_used_at").desc(nulls_last=True), "-created_at")
        own = known.filter(org_id=owner.org_id, owner_id=owner.pk)
        found: Connection | None = own.order_by(*newest).first()
    return found


def find_connection(org_id: Any, pk: UUID, *, person: Any = None) -> Connection | None:
    """With its owner; None if the organisation, or that person in it, has no such connection."""
    with in_organisation(org_id):
        rows = Connection.objects.redeemed().select_related("owner__user").only(*NEEDED)
        found: Connection | None = rows.filter(org_id=org_id, pk=pk, **_of(person)).first()
    return found


def _of(person: Any) -> dict[str, Any]:
    return {} if person is None else {"owner_id": person}


def end_by_id(pk: UUID, *, by: Any, person: Any = None, detail: str = "") -> bool:
    """End a connection of the organisation of `by`, or of one person in it.

    False if there is no such connection; true also if it had ended before.
    """
    found = find_connection(by.org_id, pk, person=person)
    if found is not None:
        end_connection(found, by=by, detail=detail)
    return found is not None


def end_every(admin: Any, person: Any = None) -> int:
    """End all connections of the organisation, or of one person in it; returns how many.

    Also those whose client has fetched nothing yet, or that have expired: a change of the policy
    could bring them back. Their tokens and the entry in the log are `revocation.revoke_every`'s.
    """
    with in_organisation(admin.org_id):
        rows = Connection.objects.filter(org_id=admin.org_id, ended_at=None, **_of(person))
        count: int = rows.update(ended_at=timezone.now(), ended_by=email_of(admin))
    return count


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
    connection = connection_of(secret) if is_plausible(secret) else None
    if connection is not None and connection.client_id == client_id:
        detail = f"{BY_CLIENT.lower()}{connection.client_name}"
        end_connection(connection, detail=detail)


@sensitive_variables("secret")
def connection_of(secret: str) -> Connection | None:
    """The connection whose access or refresh token this is, whatever its state."""
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
