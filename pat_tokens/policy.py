"""An organisation's policy for tokens: what it says, and what follows from it."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from pat_tokens import events
from pat_tokens.local_setting import in_organisation
from pat_tokens.models import Event, Policy
from pat_tokens.people import email_of
from pat_tokens.scopes import READ_METHODS

AGENTS_OFF = "Your organisation does not allow personal access tokens to be used."
AGENTS_READ_ONLY = "Your organisation allows personal access tokens to read only."


def policy_of(org_id: Any) -> Policy:
    with in_organisation(org_id):
        return Policy.objects.filter(org_id=org_id).first() or Policy(org_id=org_id)


def change_policy(admin: Any, **values: Any) -> Policy:
    """Set what is given, for the organisation of `admin`, and log what changed."""
    with in_organisation(admin.org_id):
        policy = policy_of(admin.org_id)
        changes = [
            f"{name}: {getattr(policy, name)} → {value}"
            for name, value in values.items()
            if getattr(policy, name) != value
        ]
        for name, value in values.items():
            setattr(policy, name, value)
        policy.updated_by = email_of(admin)
        policy.save()
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
    usual = timedelta(days=90)
    return min(usual, policy.max_lifetime) if policy.max_lifetime else usual
