"""What an organisation's administrators see and end: the tokens of all its members."""

from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.utils import timezone

from pat_tokens import host
from pat_tokens.local_setting import in_organisation
from pat_tokens.models import Event, Token
from pat_tokens.oauth.connections import end_every
from pat_tokens.own import revoke_host
from pat_tokens.people import owner_model
from pat_tokens.revocation import revoke, revoke_all

UNUSED = timedelta(days=90)
EVENTS_SHOWN = 100


def org_tokens(org_id: Any, **filters: Any) -> list[Token]:
    with in_organisation(org_id):
        tokens = Token.objects.personal().governed().select_related("owner__user")
        return list(tokens.filter(org_id=org_id, **filters).order_by("-created_at"))


def totals(tokens: list[Token], host_rows: list[Any]) -> dict[str, int]:
    counts = Counter(count=len(tokens) + len(host_rows), live=0, orphaned=0, unused_90d=0)
    facts = [(token.status == "active", token.owner, token) for token in tokens]
    facts += [(is_live(row), row.profile, row) for row in host_rows]
    for live, owner, token in facts:
        if live:
            counts["live"] += 1
            counts["orphaned"] += not owner.is_active
            counts["unused_90d"] += _is_unused(token)
    return dict(counts)


def is_live(row: Any) -> bool:
    """Of the host's own tokens."""
    expired = row.expires_at is not None and row.expires_at <= timezone.now()
    return row.revoked_at is None and not expired


def _is_unused(token: Any) -> bool:
    since = token.last_used_at or token.created_at
    return bool(timezone.now() - since > UNUSED)


def revoke_one(admin: Any, pk: UUID) -> bool:
    """False if the organisation has no such token; true also if it was revoked before."""
    tokens = org_tokens(admin.org_id, pk=pk)
    rows = [] if tokens else host.host_tokens_of(admin.org_id, pk=pk)
    for token in tokens:
        revoke(token, by=admin, detail="by an administrator")
    for row in rows:
        revoke_host(row, by=admin, detail="by an administrator")
    return bool(tokens or rows)


def revoke_every(admin: Any, owner_id: Any = None) -> int:
    """All live tokens and connections of one person, or of the whole organisation."""
    ours = {"owner_id": owner_id} if owner_id else {}
    theirs = {"profile_id": owner_id} if owner_id else {}
    detail = "all of a person" if owner_id else "all of the organisation"
    with in_organisation(admin.org_id):
        count = revoke_all(org_tokens(admin.org_id, **ours), by=admin, detail=detail)
        rows = host.host_tokens_of(admin.org_id, revoked_at=None, **theirs)
        for row in rows:
            revoke_host(row, by=admin, detail=detail)
        return count + len(rows) + end_every(admin, detail, **ours)


def member_id(value: str) -> Any:
    """As the owner model has its keys; None for what can't be one."""
    try:
        return owner_model()._meta.pk.to_python(value)
    except ValidationError:
        return None


def events_of(org_id: Any, limit: int = EVENTS_SHOWN, **filters: Any) -> list[Event]:
    with in_organisation(org_id):
        return list(Event.objects.filter(org_id=org_id, **filters)[:limit])
