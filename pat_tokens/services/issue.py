"""Issue of secrets: a token is created, or given another secret."""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from rest_framework.exceptions import APIException, Throttled

from pat_tokens import secret as token_secret
from pat_tokens.audit import events
from pat_tokens.conf import token_settings
from pat_tokens.host.owners import lock_member
from pat_tokens.host.tokens import HostTokens
from pat_tokens.models import Event, Token
from pat_tokens.models.expiry import EXPIRY_CEILING
from pat_tokens.models.token import is_live
from pat_tokens.rls import in_organisation
from pat_tokens.services.policy import policy_of

PER_HOUR = 20
OVERLAP = timedelta(hours=24)


class NotRotatable(APIException):
    status_code = 409
    default_detail = "Only an active token can be rotated. Create a new one."


class TooManyTokens(APIException):
    status_code = 409

    def __init__(self, most: int) -> None:
        super().__init__(
            f"A person may have {most} live tokens at most. Revoke one that you no longer use."
        )


def create_token(
    owner: Any,
    *,
    name: str,
    scopes: list[str],
    expires_at: datetime | None,
    detail: str = "",
    **fields: Any,
) -> tuple[Token, str]:
    """A token and its secret; `detail` goes into the event log.

    Raises `Throttled` and `TooManyTokens`.
    """
    with in_organisation(owner.org_id):
        lock_member(owner)
        _throttle(owner)
        _cap(owner)
        token, secret = Token.create(
            owner=owner, name=name, scopes=scopes, expires_at=expires_at, **fields
        )
        events.record(Event.Kind.CREATED, org_id=owner.org_id, by=owner, token=token, detail=detail)
    return token, secret


def rotate_token(token: Token, overlap: timedelta = OVERLAP) -> str:
    """A new secret; the old one works until the overlap ends, and no longer than it would have.

    The token gets its lifetime anew, from now on. Raises `NotRotatable` and `Throttled`.
    """
    now = timezone.now()
    with in_organisation(token.org_id):
        # Before the token, as in `revoke_every`.
        lock_member(token.owner)
        current = Token.objects.governed().select_for_update(of=("self",)).get(pk=token.pk)
        if current.status != "active":
            raise NotRotatable
        _throttle(token.owner)
        secret = token_secret.generate()
        Token.objects.filter(pk=token.pk).update(
            previous_digest=current.digest,
            previous_expires_at=min(now + overlap, current.ends_at or now + overlap),
            digest=token_secret.digest(secret),
            prefix=token_secret.display_prefix(secret),
            rotated_at=now,
            expires_at=_same_lifetime(current, now),
            expiry_notice=None,
        )
        token.refresh_from_db()
        detail = f"the old secret works until {token.previous_expires_at:%Y-%m-%d %H:%M} UTC"
        events.record(
            Event.Kind.ROTATED, org_id=token.org_id, by=token.owner, token=token, detail=detail
        )
    return secret


def _same_lifetime(token: Token, now: datetime) -> datetime | None:
    if token.expires_at is None:
        return None
    return min(now + (token.expires_at - token.issued_at), EXPIRY_CEILING - timedelta(seconds=1))


def _throttle(owner: Any) -> None:
    """Counted in the event log, so that all processes count together."""
    made = Event.objects.filter(
        org_id=owner.org_id,
        actor_id=str(owner.pk),
        kind__in=(Event.Kind.CREATED, Event.Kind.ROTATED),
        created_at__gt=timezone.now() - timedelta(hours=1),
    )
    if made.count() >= PER_HOUR:
        raise Throttled(wait=3600, detail=f"You can create {PER_HOUR} tokens an hour.")


def _cap(owner: Any) -> None:
    most = token_settings.max_live
    live = is_live(policy_of(owner.org_id))
    count = Token.objects.personal().filter(live, org_id=owner.org_id, owner=owner).count()
    count += HostTokens.of(owner.org_id, owner.pk).count_live()
    if count >= most:
        raise TooManyTokens(most)
