"""Lists of tokens and connections in sections.

What is live comes before the rest, so that nothing can bury it.
"""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone

from pat_tokens.host.tokens import HostTokens
from pat_tokens.lists.paging import Section
from pat_tokens.models import Connection, Policy, Token, connection
from pat_tokens.models.token import is_dead, is_live

UNUSED = timedelta(days=90)
# The kinds of lines.
TOKEN, HOST_TOKEN, CONNECTION = "token", "host_token", "connection"


def sections(
    policy: Policy,
    tokens: QuerySet[Any],
    host_tokens: HostTokens,
    state: str = "",
    search: str = "",
) -> list[Section]:
    """The sections of a list of tokens in a state, a key of `TokenFilter.STATES`.

    `search` is a part of the name, or the first characters of the token.
    """
    tokens = tokens.filter(Q(name__icontains=search) | Q(prefix__startswith=search))
    host_tokens = host_tokens.called(search)
    living = host_tokens.live(in_state(state, "profile"))
    live = [Section("live", TOKEN, tokens.filter(is_live(policy) & in_state(state, "owner")))]
    live += [Section("host_live", HOST_TOKEN, rows) for rows in living]
    dead = [Section("dead", TOKEN, tokens.filter(is_dead(policy)))]
    dead += [Section("host_dead", HOST_TOKEN, rows) for rows in host_tokens.dead()]
    if state == "dead":
        return dead
    return live if state else [*live, *dead]


def ids_called(org_id: Any, search: str, most: int) -> list[UUID]:
    """The ids of tokens and connections with this in their name, or at the beginning of the token.

    In no order, up to `most`. To be read in the organisation's context.
    """
    tokens = Token.objects.personal().filter(org_id=org_id)
    found = [
        tokens.filter(Q(name__icontains=search) | Q(prefix__startswith=search)),
        *HostTokens.of(org_id).called(search).querysets,
        Connection.objects.filter(org_id=org_id, client_name__icontains=search),
    ]
    ids = [pk for rows in found for pk in rows.values_list("pk", flat=True)[:most]]
    return ids[:most]


def names_of_id(org_id: Any, pk: UUID) -> tuple[str, ...]:
    """What a token or connection is called, and how the token begins; empty if there is no such."""
    tokens = Token.objects.filter(org_id=org_id, pk=pk)
    clients = Connection.objects.filter(org_id=org_id, pk=pk)
    return (
        tokens.values_list("name", "prefix").first()
        or HostTokens.of(org_id).names(pk)
        or clients.values_list("client_name").first()
        or ()
    )


def connection_sections(policy: Policy, rows: QuerySet[Any], state: str = "") -> list[Section]:
    """The same, of connections."""
    # A connection is ended, never paused.
    wanted = Q(pk=None) if state == "paused" else in_state(state, "owner")
    live = rows.filter(connection.is_live(policy) & wanted)
    dead = Section("dead", CONNECTION, rows.filter(connection.is_dead(policy)))
    if state == "dead":
        return [dead]
    return [Section("live", CONNECTION, live), *([] if state else [dead])]


def in_state(state: str, owner: str) -> Q:
    """What a state asks of a live token or connection; `owner` is the column of its person."""
    if state == "paused":
        # Only tokens of ours can be paused.
        return Q(paused_at__isnull=False) if owner == "owner" else Q(pk=None)
    if state == "orphaned":
        return Q(**{f"{owner}__is_active": False})
    if state == "unused_90d":
        since = timezone.now() - UNUSED
        return Q(last_used_at__lt=since) | Q(last_used_at=None, created_at__lt=since)
    return Q()
