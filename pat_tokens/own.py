"""A person's own tokens. Nothing here ever returns another person's."""

from typing import Any
from uuid import UUID

from pat_tokens import events, host
from pat_tokens.local_setting import in_organisation
from pat_tokens.models import Event, Token
from pat_tokens.revocation import revoke


def own_tokens(owner: Any) -> list[Token]:
    with in_organisation(owner.org_id):
        tokens = Token.objects.personal().governed().filter(owner=owner, org_id=owner.org_id)
        return list(tokens.order_by("-created_at"))


def own_token(owner: Any, pk: UUID) -> Token | None:
    with in_organisation(owner.org_id):
        tokens = Token.objects.personal().governed().select_related("owner__user", "owner__org")
        token: Token | None = tokens.filter(owner=owner, org_id=owner.org_id, pk=pk).first()
    return token


def own_host_tokens(owner: Any) -> list[Any]:
    return host.host_tokens_of(owner.org_id, profile_id=owner.pk)


def revoke_own(owner: Any, pk: UUID) -> bool:
    """False if the person has no such token; true also if it was revoked before."""
    if token := own_token(owner, pk):
        revoke(token, by=owner)
        return True
    rows = host.host_tokens_of(owner.org_id, profile_id=owner.pk, pk=pk)
    for row in rows:
        revoke_host(row, by=owner)
    return bool(rows)


def revoke_host(row: Any, by: Any, detail: str = "") -> None:
    if host.revoke_host_token(row):
        events.record(
            Event.Kind.REVOKED,
            org_id=row.org_id,
            by=by,
            token_id=row.pk,
            token_name=row.name,
            token_prefix=row.token_prefix,
            detail=detail,
        )
