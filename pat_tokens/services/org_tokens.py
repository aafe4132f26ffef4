"""Organisation's tokens, as its administrators see and end them."""

from typing import Any
from uuid import UUID

from django.db.models import Count, Q

from pat_tokens.host.tokens import HostTokens, is_live_row
from pat_tokens.lists.listing import in_state, sections
from pat_tokens.lists.paging import Page, read_page
from pat_tokens.models import Token
from pat_tokens.models.token import is_live
from pat_tokens.oauth.connections import count_live
from pat_tokens.rls import in_organisation
from pat_tokens.services.policy import policy_of


def org_page(
    org_id: Any, *, person: Any = None, state: str = "", search: str = "", **position: Any
) -> Page:
    """A page of the tokens, of all or of one person, in any or in one state.

    `state` is a key of `TokenFilter.STATES`, `search` that of `sections`, `position` that of
    `read_page`.
    """
    with in_organisation(org_id):
        tokens = Token.objects.personal().governed().select_related("owner__user")
        tokens = tokens.filter(org_id=org_id)
        if person is not None:
            tokens = tokens.filter(owner_id=person)
        host_tokens = HostTokens.of(org_id, person)
        listed = sections(policy_of(org_id), tokens, host_tokens, state, search)
        return read_page(listed, **position)


def org_token(org_id: Any, pk: UUID) -> Token | None:
    """A token of a member, with its owner; None if the organisation has no such token of ours."""
    with in_organisation(org_id):
        tokens = Token.objects.personal().governed().select_related("owner__user", "owner__org")
        token: Token | None = tokens.filter(org_id=org_id, pk=pk).first()
    return token


def totals(org_id: Any, person: Any = None) -> dict[str, int]:
    """How many tokens there are, of all or of one person.

    `count` are all, `live`, `orphaned` and `unused_90d` of the live ones; `connections` are the
    live ones.
    """
    whose = {} if person is None else {"owner_id": person}
    with in_organisation(org_id):
        tokens = Token.objects.personal().filter(org_id=org_id, **whose)
        counts = tokens.aggregate(**_counts(is_live(policy_of(org_id)), "owner"))
        host_counts = HostTokens.of(org_id, person).aggregate(**_counts(is_live_row(), "profile"))
    counts = {name: number + host_counts[name] for name, number in counts.items()}
    return {**counts, "connections": count_live(org_id, person)}


def _counts(live: Q, owner: str) -> dict[str, Count]:
    return {
        "count": Count("pk"),
        "live": Count("pk", filter=live),
        "orphaned": Count("pk", filter=live & in_state("orphaned", owner)),
        "unused_90d": Count("pk", filter=live & in_state("unused_90d", owner)),
    }
