"""Whether a token that authenticates may make this request."""

from typing import Any

from pat_tokens import scopes
from pat_tokens.models import Token
from pat_tokens.oauth.policy import client_denial
from pat_tokens.one_call import is_within_call, once
from pat_tokens.policy import agents_denial, lifetime_denial, policy_of


def denial(token: Token, method: str | None, path: str) -> str | None:
    """Why not, or None. `path` is the request's `path_info`."""
    if token.connection is not None and not is_within_call():
        # What a person agreed to at the consent page holds there: limits, confirmations, the log.
        return "This token is good for /mcp only."
    return (
        connection_denial(token)
        or scopes.check(token.scopes, method, path)
        or agents_denial(token.policy_agents, method)
    )


def connection_denial(token: Token) -> str | None:
    """The policy's word on the client of a connection; None for a token that a person made."""
    if token.connection is None:
        return None
    host = token.connection.client_host
    return client_denial(token.policy_clients, token.policy_client_hosts, host)


def host_token_denial(token: Any, org_id: Any, method: str | None) -> str | None:
    """The policy's word on a token of the host's own, whose scopes the host has checked."""
    policy = once(("policy", str(org_id)), lambda: policy_of(org_id))
    return agents_denial(policy.agents, method) or lifetime_denial(policy, token)
