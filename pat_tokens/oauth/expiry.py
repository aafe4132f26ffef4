"""Connections near their end, and what is left of those that are over."""

from datetime import timedelta
from typing import Any

from django.core.mail import send_mail
from django.db.models import Q
from django.utils import timezone

from pat_tokens.audit import events
from pat_tokens.batches import delete_all_of
from pat_tokens.host.owners import email_of, name_of
from pat_tokens.models import AuthorizationCode, Connection, Event, RefreshToken, Token
from pat_tokens.models.connection import expires_by
from pat_tokens.rls import in_organisation
from pat_tokens.services.expiry import EXPIRED, NOTICES, due_stage
from pat_tokens.services.policy import policy_of

# Long enough for a code or refresh token that is used again to be recognised.
KEPT = timedelta(days=30)
SUBJECT = "The connection of {name} ends in {days}"
BODY = """Hello {person},

you let {name} work in the CRM as you until {date} UTC. It stops working then.

To keep it, connect again from {name}. If you don't use it any more, disconnect it under
Settings → API Tokens.
"""


def due_connections(org_id: Any) -> list[tuple[Connection, int]]:
    """The connections that a notice is due for, with its stage as in `services.expiry`."""
    until = timezone.now() + timedelta(days=max(NOTICES))
    with in_organisation(org_id):
        soon = expires_by(policy_of(org_id), until)
        rows = Connection.objects.redeemed().governed().select_related("owner__user")
        live = rows.filter(soon, org_id=org_id, ended_at=None)
        found = [(each, _due(each)) for each in live.exclude(expiry_notice=EXPIRED)]
    return [(each, stage) for each, stage in found if stage is not None]


def _due(connection: Connection) -> int | None:
    if connection.status == "expired":
        return EXPIRED
    return due_stage(connection.ends_at, connection.created_at, connection.expiry_notice)


def give_notice(connection: Connection, stage: int) -> bool:
    """Mail the owner, or log the end; false if another run has done it."""
    with in_organisation(connection.org_id):
        unclaimed = Q(expiry_notice=None) | Q(expiry_notice__gt=stage)
        rows = Connection.objects.filter(unclaimed, pk=connection.pk)
        if not rows.update(expiry_notice=stage):
            return False
        if stage == EXPIRED:
            detail = connection.status_reason
            events.record(
                Event.Kind.EXPIRED, org_id=connection.org_id, connection=connection, detail=detail
            )
        elif connection.owner.is_active and connection.owner.user.is_active:
            _mail(connection, stage)
    return True


def _mail(connection: Connection, days: int) -> None:
    name = connection.client_name
    send_mail(
        SUBJECT.format(name=name, days="a day" if days == 1 else "a week"),
        BODY.format(
            person=name_of(connection.owner), name=name, date=f"{connection.ends_at:%Y-%m-%d %H:%M}"
        ),
        None,
        [email_of(connection.owner)],
    )


def remove_leftovers(org_id: Any) -> None:
    """Delete what an organisation's connections need no more; the event log tells of it."""
    now = timezone.now()
    before = now - KEPT
    never_redeemed = Q(redeemed_at=None, idle_expires_at__lt=now - timedelta(days=1))
    over = Q(ended_at__lt=before) | Q(idle_expires_at__lt=before) | Q(expires_at__lt=before)
    for rows in (
        # Before what would go with their connections, which may be much for one transaction.
        AuthorizationCode.objects.filter(expires_at__lt=before),
        RefreshToken.objects.filter(expires_at__lt=before),
        Token.objects.filter(connection__isnull=False, expires_at__lt=before),
        Connection.objects.filter(never_redeemed | over),
    ):
        delete_all_of(org_id, rows.filter(org_id=org_id))
