"""Policy of an organisation for tokens: what it says, and which requests it refuses."""

from datetime import timedelta
from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from pat_tokens import scopes
from pat_tokens.audit import events
from pat_tokens.host.owners import email_of
from pat_tokens.models import Event, Policy, Token
from pat_tokens.request_cache import cached, is_within_call
from pat_tokens.rls import in_organisation
from pat_tokens.scopes import READ_METHODS
from pat_tokens.services.asked_changes import TooLongToCount, changes_asked
from pat_tokens.services.client_policy import client_denial
from pat_tokens.services.daily_limits import count_request
from pat_tokens.services.stop import stop_denial

AGENTS_OFF = "Your organisation does not allow connections and tokens to be used."
AGENTS_READ_ONLY = "Your organisation allows connections and tokens to read only."


def policy_of(org_id: Any) -> Policy:
    """The organisation's policy; one of defaults, not stored, where it has set none."""
    with in_organisation(org_id):
        return Policy.objects.filter(org_id=org_id).first() or Policy(org_id=org_id)


def change_policy(admin: Any, **values: Any) -> Policy:
    """Set what is given, for the organisation of `admin`, and log what changed."""
    with in_organisation(admin.org_id):
        Policy.objects.bulk_create([Policy(org_id=admin.org_id)], ignore_conflicts=True)
        # Of two changes at once neither takes back what it was not asked for.
        policy = Policy.objects.select_for_update().get(org_id=admin.org_id)
        changes = [
            f"{name}: {getattr(policy, name)} → {value}"
            for name, value in values.items()
            if getattr(policy, name) != value
        ]
        for name, value in values.items():
            setattr(policy, name, value)
        policy.updated_by = email_of(admin)
        policy.save(update_fields=[*values, "updated_by", "updated_at"])
        if changes:
            detail = ", ".join(changes)
            events.record(Event.Kind.POLICY, org_id=admin.org_id, by=admin, detail=detail)
    return policy


def agents_denial(agents: str | None, method: str | None) -> str | None:
    """Why the policy forbids a token this request, or None."""
    if agents == Policy.Agents.OFF:
        return AGENTS_OFF
    if agents == Policy.Agents.READ_ONLY and method not in READ_METHODS:
        return AGENTS_READ_ONLY
    return None


def lifetime_denial(policy: Policy, token: Any) -> str | None:
    """For a token of the host's own, which knows nothing of our policy."""
    if policy.max_lifetime is None or timezone.now() < token.created_at + policy.max_lifetime:
        return None
    return f"Your organisation allows tokens {policy.max_lifetime_days} days at most."


def default_lifetime(policy: Policy) -> timedelta:
    """What a new token gets where nothing else is chosen: 90 days, or less by the policy."""
    usual = timedelta(days=90)
    return min(usual, policy.max_lifetime) if policy.max_lifetime else usual


def denial(token: Token, method: str | None, path: str) -> str | None:
    """Why not, or None. `path` is the request's `path_info`."""
    if token.connection is not None and not is_within_call():
        # What a person agreed to at the consent page holds there: limits, confirmations, the log.
        return "This token is good for /mcp only."
    return (
        stop_denial(token.policy_stop)
        or connection_denial(token)
        or scopes.check(token.scopes, method, path)
        or agents_denial(token.policy_agents, method)
    )


def limit_denial(org_id: Any, token_id: Any, request: HttpRequest) -> str | None:
    """Why a token may not make this request today, or None; what it would change is counted.

    A call to /mcp counts its writes itself, in their own transactions.
    """
    if request.method in READ_METHODS or is_within_call():
        return None
    try:
        return count_request(org_id, str(token_id), changes_asked(request))
    except TooLongToCount as problem:
        return str(problem)


def connection_denial(token: Token) -> str | None:
    """The policy's word on the client of a connection; None for a token that a person made."""
    if token.connection is None:
        return None
    host = token.connection.client_host
    return client_denial(token.policy_clients, token.policy_client_hosts, host)


def host_token_denial(token: Any, org_id: Any, method: str | None) -> str | None:
    """The policy's word on a token of the host's own, whose scopes the host has checked."""
    policy = cached(("policy", str(org_id)), lambda: policy_of(org_id))
    return (
        stop_denial(policy.stop)
        or agents_denial(policy.agents, method)
        or lifetime_denial(policy, token)
    )
