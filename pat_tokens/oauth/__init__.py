"""OAuth 2.1: clients that people connect by its address alone, without a token to copy.

What stands here is the interface for the endpoints of the authorization server. They run beside
Django; the decision of a person is a page of this app.
"""

from pat_tokens.conf import token_settings
from pat_tokens.http.json_body import loads
from pat_tokens.http.throttle import is_over, network_of
from pat_tokens.models import Client
from pat_tokens.oauth.clients import (
    BadClient,
    document_host,
    find_client,
    is_fresh,
    keep_document,
    keep_known,
)
from pat_tokens.oauth.clients import register as register_client
from pat_tokens.oauth.connections import end_presented
from pat_tokens.oauth.error_page import error_page
from pat_tokens.oauth.grants import (
    AgentsStopped,
    Grant,
    NotGranted,
    TooManyRefreshes,
    find_code,
    find_refresh_token,
    redeem_code,
    refresh,
)
from pat_tokens.oauth.redirects import allows as allows_redirect
from pat_tokens.oauth.redirects import answer as redirect_answer
from pat_tokens.oauth.requests import consent_url, keep_request
from pat_tokens.oauth.scopes import READ, SUPPORTED, WRITE, on_wire
from pat_tokens.oauth.scopes import requested as requested_scopes

__all__ = [
    "READ",
    "SUPPORTED",
    "WRITE",
    "AgentsStopped",
    "BadClient",
    "Client",
    "Grant",
    "NotGranted",
    "TooManyRefreshes",
    "allows_redirect",
    "consent_url",
    "document_host",
    "end_presented",
    "error_page",
    "find_client",
    "find_code",
    "find_refresh_token",
    "is_fresh",
    "is_over",
    "keep_document",
    "keep_known",
    "keep_request",
    "loads",
    "network_of",
    "on_wire",
    "redeem_code",
    "redirect_answer",
    "refresh",
    "register_client",
    "requested_scopes",
    "token_settings",
]
