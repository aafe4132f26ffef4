"""Leak reports: anyone who holds a token may end it, without signing in."""

from dataclasses import dataclass, field
from typing import Any

from django.views.decorators.debug import sensitive_variables

from pat_tokens import secret as token_secret
from pat_tokens.audit.source import Source, coming_from
from pat_tokens.http.json_body import loads
from pat_tokens.http.throttle import is_over
from pat_tokens.services.revocation import revoke_leaked

MAX_BODY_BYTES = 4096
WINDOW_SECONDS = 60
PER_ADDRESS = 10
IN_ALL = 100
HOW = 'Send JSON: {"token": "bcrm_pat_…"} or {"token": "bcrm_ort_…"}.'
# A code is good once, within a minute, and for the client that asked for it only.
REPORTED = (token_secret.PREFIX, token_secret.REFRESH_PREFIX)


@dataclass(frozen=True)
class ReportResponse:
    status: int
    body: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)


@sensitive_variables("body", "secret")
def answer_report(body: bytes, source: Source) -> ReportResponse:
    """Revoke the token in the body. Uses the database."""
    if _too_many(source):
        headers = {"Retry-After": str(WINDOW_SECONDS)}
        return ReportResponse(429, {"error": "Too many reports; try again in a minute."}, headers)
    secret = _secret_in(body)
    if secret is None:
        return ReportResponse(400, {"error": f"No token was found in the body. {HOW}"})
    with coming_from(source):
        # Whoever holds the token could as well try it, so this tells them nothing new.
        return ReportResponse(200, {"revoked": revoke_leaked(secret)})


def _secret_in(body: bytes) -> str | None:
    try:
        message = loads(body)
    except ValueError:
        return None
    secret = message.get("token") if isinstance(message, dict) else None
    if not isinstance(secret, str) or not secret.startswith(REPORTED):
        return None
    # JSON may hold half of a surrogate pair, which has no bytes to digest.
    return secret if secret.isascii() else None


def _too_many(source: Source) -> bool:
    mine = is_over(f"leaks:{source.address}", PER_ADDRESS, WINDOW_SECONDS)
    return mine or is_over("leaks", IN_ALL, WINDOW_SECONDS)
