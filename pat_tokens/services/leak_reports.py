"""Leak reports: anyone who holds a token may end it, without signing in."""

from dataclasses import dataclass
from typing import Any

from django.views.decorators.debug import sensitive_variables

from pat_tokens import secret as token_secret
from pat_tokens.audit.source import Source, coming_from
from pat_tokens.http.json_body import loads
from pat_tokens.services.revocation import revoke_leaked

MAX_BODY_BYTES = 4096
HOW = 'Send JSON: {"token": "bcrm_pat_…"} or {"token": "bcrm_ort_…"}.'
# A code is good once, within a minute, and for the client that asked for it only.
REPORTED = (token_secret.PREFIX, token_secret.REFRESH_PREFIX)


@dataclass(frozen=True)
class ReportResponse:
    status: int
    body: dict[str, Any]


@sensitive_variables("body", "secret")
def answer_report(body: bytes, source: Source) -> ReportResponse:
    """Revoke the token in the body. Uses the database, if it may be a token.

    On purpose without a limit, which others could use up: what is no token is seen by its form,
    and what may be one costs what a request with a wrong token does.
    """
    secret = _secret_in(body)
    if secret is None:
        return ReportResponse(400, {"error": f"No token was found in the body. {HOW}"})
    if not token_secret.is_plausible(secret):
        return ReportResponse(200, {"revoked": False})
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
