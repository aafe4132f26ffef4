"""DRF authentication by a personal access token."""

from typing import Any

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from pat_tokens.audit.source import coming_from, source_of
from pat_tokens.audit.usage import record_refusal, record_use
from pat_tokens.models import Token
from pat_tokens.resolver import resolve_presented
from pat_tokens.secret import from_header
from pat_tokens.services.policy import denial, limit_denial


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer bcrm_pat_…`, for hosts with `TokenContext` and without it."""

    def authenticate(self, request: Request) -> tuple[Any, Token] | None:
        """None without a token of ours; raises `AuthenticationFailed` or `PermissionDenied`."""
        token = getattr(request, "_pat", None)
        if token is None:
            with coming_from(source_of(request._request)):
                token = _from_header(request)
        # `_pat` may hold a token of the host's own, which its own class knows.
        return (token.user, token) if isinstance(token, Token) else None

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


def _from_header(request: Request) -> Token | None:
    secret = from_header(request.headers.get("Authorization", ""))
    if secret is None:
        return None
    token = resolve_presented(secret)
    if reason := denial(token, request.method, request.path_info) or limit_denial(
        token.org_id, token.credential_id, request._request
    ):
        record_refusal(token, reason)
        raise PermissionDenied(reason)
    record_use(token)
    return token
