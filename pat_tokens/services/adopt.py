"""Adoption of the host's own tokens: the same secrets, under this app's rules."""

from typing import Any
from uuid import UUID

from pat_tokens.audit import events
from pat_tokens.host.owners import lock_members
from pat_tokens.host.tokens import HostTokens
from pat_tokens.models import Event, Token
from pat_tokens.rls import in_organisation


def adoptable(org_id: Any) -> list[Any]:
    """The host's rows that `adopt` would take over, oldest first."""
    rows = HostTokens.where(org_id=org_id).unrevoked()
    return [row for each in rows for row in each.order_by("created_at")]


def adopt(org_id: Any) -> int:
    """Take over every live row of an organisation.

    The host's row is revoked in the same transaction: a token that is later revoked here must not
    authenticate there.
    """
    rows = HostTokens.where(org_id=org_id).unrevoked()
    with in_organisation(org_id):
        # Before the host's rows, as in `revoke_every`, which would miss what is made of them here.
        lock_members(org_id)
        return sum(_adopt(row) for each in rows for row in each.select_for_update(of=("self",)))


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
    HostTokens.where(org_id=row.org_id, pk=row.pk).revoke()
    if created:
        events.record(Event.Kind.ADOPTED, org_id=row.org_id, by=row.profile, token=token)
    return created
