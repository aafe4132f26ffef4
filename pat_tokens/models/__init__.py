"""Models: tokens, the policy of an organisation, the event log."""

from pat_tokens.models.authorization import AuthorizationCode, AuthorizationRequest, RefreshToken
from pat_tokens.models.client import Client
from pat_tokens.models.connection import Connection
from pat_tokens.models.event import Event, RefusalCount
from pat_tokens.models.policy import Policy
from pat_tokens.models.token import Token
from pat_tokens.models.use import DailyUse

__all__ = [
    "AuthorizationCode",
    "AuthorizationRequest",
    "Client",
    "Connection",
    "DailyUse",
    "Event",
    "Policy",
    "RefreshToken",
    "RefusalCount",
    "Token",
]
