"""Own tokens of a person. Nothing here ever returns another person's."""

from typing import Any
from uuid import UUID

from pat_tokens.host.tokens import HostTokens
from pat_tokens.lists.listing import sections
from pat_tokens.lists.paging import Page, read_page
from pat_tokens.models import Token
from pat_tokens.rls import in_organisation
from pat_tokens.services import revocation
from pat_tokens.services.policy import policy_of


def own_page(owner: Any, *, state: str = "", search: str = "", **position: Any) -> Page:
    """A page of the person's tokens.

    `state` is a key of `OwnFilter.STATES`, `search` that of `sections`, `position` that of
    `read_page`.
    """
    with in_organisation(owner.org_id):
        tokens = Token.objects.personal().governed().filter(org_id=owner.org_id, owner=owner)
        host_tokens = HostTokens.of(owner.org_id, owner.pk)
        policy = policy_of(owner.org_id)
        return read_page(sections(policy, tokens, host_tokens, state, search), **position)


def own_token(owner: Any, pk: UUID) -> Token | None:
    """None if the person has no such token here; the host's own are not among these."""
    with in_organisation(owner.org_id):
        tokens = Token.objects.personal().governed().select_related("owner__user", "owner__org")
        token: Token | None = tokens.filter(owner=owner, org_id=owner.org_id, pk=pk).first()
    return token


def own_names(owner: Any, pk: UUID) -> tuple[str, str] | None:
    """What the person's token is called, and how it begins; None if they have no such token."""
    found = revocation.find(owner.org_id, pk, person=owner.pk)
    return revocation.names_of(found) if found else None


def revoke_own(owner: Any, pk: UUID) -> bool:
    """False if the person has no such token; true also if it was revoked before."""
    return revocation.revoke_by_id(pk, by=owner, person=owner.pk)
