"""Expiry notices: two mails to the owner, and an entry in the log."""

from datetime import datetime, timedelta
from typing import Any

from django.core.mail import send_mail
from django.db.models import Q
from django.utils import timezone

from pat_tokens.audit import events
from pat_tokens.host.owners import email_of, name_of
from pat_tokens.models import Event, Token
from pat_tokens.rls import in_organisation
from pat_tokens.services.policy import policy_of

NOTICES = (7, 1)
EXPIRED = 0
SUBJECT = "Your access token {name} expires in {days}"
BODY = """Hello {person},

your personal access token "{name}" ({prefix}…) expires on {date} UTC. What uses it will stop
working then.

To keep it, rotate it under Settings → API Tokens: it gets a new secret and a new lifetime, and the
old secret works for a while longer. If nothing uses it any more, revoke it there.
"""


def soon_over(org_id: Any) -> list[Token]:
    """The organisation's tokens that end within the first notice, or have ended unnoticed."""
    until = timezone.now() + timedelta(days=max(NOTICES))
    with in_organisation(org_id):
        soon = Q(expires_at__lte=until)
        if limit := policy_of(org_id).max_lifetime:
            soon |= Q(rotated_at=None, created_at__lte=until - limit)
            soon |= Q(rotated_at__lte=until - limit)
        tokens = Token.objects.personal().governed().select_related("owner__user")
        live = tokens.filter(soon, org_id=org_id, revoked_at=None)
        return list(live.exclude(expiry_notice=EXPIRED))


def due_notice(token: Token) -> int | None:
    """7 or 1, the days before the end to tell of now; 0 once it is over; None if nothing is due."""
    if token.revoked_at is not None or token.ends_at is None:
        return None
    return due_stage(token.ends_at, token.issued_at, token.expiry_notice)


def due_stage(ends_at: datetime, issued_at: datetime, told: int | None) -> int | None:
    """The same, of anything that ends; `told` is the stage that was told of last."""
    left = ends_at - timezone.now()
    lifetime = ends_at - issued_at
    due = [
        days
        for days in NOTICES
        # A token made for less than that needs no warning.
        if left <= timedelta(days=days) < lifetime
    ]
    stage = EXPIRED if left <= timedelta(0) else min(due, default=None)
    if stage is None or (told is not None and told <= stage):
        return None
    return stage


def give_notice(token: Token, stage: int) -> bool:
    """Inside the organisation's transaction, so that a mail that fails is tried again."""
    unclaimed = Q(expiry_notice=None) | Q(expiry_notice__gt=stage)
    if not Token.objects.filter(unclaimed, pk=token.pk).update(expiry_notice=stage):
        return False
    if stage == EXPIRED:
        events.record(
            Event.Kind.EXPIRED, org_id=token.org_id, token=token, detail=token.status_reason
        )
    elif token.owner.is_active and token.owner.user.is_active:
        _mail(token, stage)
    return True


def _mail(token: Token, days: int) -> None:
    send_mail(
        SUBJECT.format(name=" ".join(token.name.split()), days="a day" if days == 1 else "a week"),
        BODY.format(
            person=name_of(token.owner),
            name=token.name,
            prefix=token.prefix,
            date=f"{token.ends_at:%Y-%m-%d %H:%M}",
        ),
        None,
        [email_of(token.owner)],
    )
