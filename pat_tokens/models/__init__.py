"""Models: tokens, the policy of an organisation, the event log, the log of calls."""

from pat_tokens.models.authorization import AuthorizationCode, AuthorizationRequest, RefreshToken
from pat_tokens.models.call import Call, CallRecord
from pat_tokens.models.client import Client
from pat_tokens.models.connection import Connection
from pat_tokens.models.daily_count import DailyCount
from pat_tokens.models.event import Event, RefusalCount
from pat_tokens.models.policy import Policy
from pat_tokens.models.token import Token
from pat_tokens.models.use import DailyUse

__all__ = [
    "AuthorizationCode",
    "AuthorizationRequest",
    "Call",
    "CallRecord",
    "Client",
    "Connection",
    "DailyCount",
    "DailyUse",
    "Event",
    "Policy",
    "RefreshToken",
    "RefusalCount",
    "Token",
]
