"""Effects of a policy: how many tokens and clients each choice would reach now."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone

from pat_tokens.host.tokens import HostTokens
from pat_tokens.models import Connection, Policy, Token, connection
from pat_tokens.models.token import is_dead, is_live
from pat_tokens.rls import in_organisation

LIFETIMES = (30, 90, 180, 365)


def effects_of(policy: Policy) -> dict[str, Any]:
    """By the field of the policy and its value, a sentence; of `max_lifetime_days` one for all."""
    with in_organisation(policy.org_id):
        tokens = Token.objects.personal().filter(is_live(policy), org_id=policy.org_id)
        host = HostTokens.of(policy.org_id)
        clients = Connection.objects.redeemed()
        clients = clients.filter(connection.is_live(policy), org_id=policy.org_id)
        scopes = list(tokens.values_list("scopes", flat=True))
        scopes += [row for rows in host.live() for row in rows.values_list("scopes", flat=True)]
        writing = sum(1 for each in scopes if can_write(each))
        hosts = list(clients.values_list("client_host", "scopes"))
        ended = {days: _ended_by(days, tokens, host) for days in LIFETIMES}
    writing_clients = sum(1 for _, each in hosts if can_write(each))
    unlisted = sum(1 for name, _ in hosts if name not in policy.client_hosts)
    return {
        "agents": {
            Policy.Agents.READ_ONLY: f"{_tokens(writing)} and {_clients(writing_clients)} that may "
            "write could then only read.",
            Policy.Agents.OFF: f"{_tokens(len(scopes))} and {_clients(len(hosts))} would be "
            "cut off at their next request.",
        },
        "clients": {
            Policy.Clients.LISTED: f"{_clients(unlisted)} would be cut off.",
            Policy.Clients.NONE: f"{_clients(len(hosts))} would be cut off.",
        },
        "max_lifetime_days": f"{_lifetimes(ended)}.",
    }


def _lifetimes(ended: dict[int, int]) -> str:
    told = [f"{days} days would end {_tokens(count)}" for days, count in ended.items() if count]
    return ", ".join(told) or f"no token is older than {LIFETIMES[0]} days"


def can_write(scopes: Iterable[str]) -> bool:
    """Whether they let a token change anything; none is unrestricted."""
    given = list(scopes)
    return not given or any(each.endswith(":write") for each in given)


def _ended_by(days: int, tokens: Any, host: HostTokens) -> int:
    older = Q(created_at__lte=timezone.now() - timedelta(days=days))
    ours: int = tokens.filter(is_dead(Policy(max_lifetime_days=days))).count()
    return ours + sum(rows.count() for rows in host.live(older))


def _tokens(count: int) -> str:
    return f"{count} token{'' if count == 1 else 's'}"


def _clients(count: int) -> str:
    return f"{count} client{'' if count == 1 else 's'}"
