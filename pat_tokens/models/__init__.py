from pat_tokens.models.event import Event, RefusalCount
from pat_tokens.models.policy import Policy
from pat_tokens.models.token import Token

__all__ = ["Event", "Policy", "RefusalCount", "Token"]
