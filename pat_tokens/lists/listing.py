"""Lists of tokens and connections in sections.

What is live comes before the rest, so that nothing can bury it.
"""

from datetime import timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from pat_tokens.host.tokens import HostTokens
from pat_tokens.lists.paging import Section
from pat_tokens.models import Policy, connection
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
