"""Adoption of the host's own tokens: the same secrets, under this app's rules."""

from typing import Any
from uuid import UUID

from pat_tokens.audit import events
from pat_tokens.host_tokens import host_tokens, revoke_host_tokens
from pat_tokens.models import Event, Token
from pat_tokens.rls import in_organisation


def adoptable(org_id: Any) -> list[Any]:
    rows = host_tokens()
    if rows is None:
        return []
    return list(rows.filter(org_id=org_id, revoked_at=None).order_by("created_at"))


def adopt(org_id: Any) -> int:
    """Take over every live row of an organisation.

    The host's row is revoked in the same transaction: a token that is later revoked here must not
    authenticate there.
    """
    rows = host_tokens()
    if rows is None:
        return 0
    with in_organisation(org_id):
        locked = rows.filter(org_id=org_id, revoked_at=None).select_for_update(of=("self",))
        return sum(_adopt(row) for row in locked)


def _adopt(row: Any) -> bool:
    # The same id, so that the row is known as adopted even when the secret has been rotated.
    same_id = {"id": row.pk} if isinstance(row.pk, UUID) else {}
    token, created = Token.objects.get_or_create(
        digest=row.token_hash,
        defaults={
            **same_id,
            "owner": row.profile,
            "org_id": row.org_id,
            "name": row.name,
            "prefix": row.token_prefix,
            "scopes": row.scopes or [],
            "created_at": row.created_at,
            "expires_at": row.expiry,
            "last_used_at": row.last_used_at,
        },
    )
    revoke_host_tokens(org_id=row.org_id, pk=row.pk)
    if created:
        events.record(Event.Kind.ADOPTED, org_id=row.org_id, by=row.profile, token=token)
    return created
