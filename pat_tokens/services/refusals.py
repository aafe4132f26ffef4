"""Last refusal of a token, as long as it says something of the token as it is now."""

from collections.abc import Callable
from datetime import datetime

from pat_tokens.models import Policy, Token
from pat_tokens.resolver import ExpiredToken, PausedToken
from pat_tokens.services.policy import AGENTS_OFF, AGENTS_READ_ONLY

# The refusals that come of a state which can change, and whether the token is in it.
STATES: dict[str, Callable[[Token], bool]] = {
    PausedToken.default_detail: lambda token: token.status == "paused",
    ExpiredToken.default_detail: lambda token: token.status == "expired",
    AGENTS_OFF: lambda token: token.policy_agents == Policy.Agents.OFF,
    AGENTS_READ_ONLY: lambda token: token.policy_agents == Policy.Agents.READ_ONLY,
}


def last_refusal(token: Token) -> tuple[datetime, str] | None:
    """When and why the token was refused last; None where that is over.

    A token that was resumed is not shown as paused, one that was paused since not as refused for an
    earlier pause. The token is one of `TokenQuerySet.governed`.
    """
    refused_at, reason = token.last_refused_at, token.last_refusal
    if refused_at is None:
        return None
    if is_in_state := STATES.get(reason):
        changed_at = max(filter(None, (token.paused_at, token.rotated_at)), default=refused_at)
        if refused_at < changed_at or not is_in_state(token):
            return None
    return refused_at, reason
