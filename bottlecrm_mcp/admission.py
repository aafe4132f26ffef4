"""Who is calling: each request is admitted by its token before its message is parsed."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from django.core.handlers.asgi import ASGIRequest
from django.db import Error as DatabaseError
from mcp_types import INTERNAL_ERROR

from bottlecrm_mcp import calls, limits, oversight, pool
from bottlecrm_mcp.auth import Unauthorized, authenticate, bearer_secret, shown_prefix
from bottlecrm_mcp.conf import mcp_settings
from bottlecrm_mcp.gateway.base import Caller
from bottlecrm_mcp.gateway.in_process import Origin
from bottlecrm_mcp.hosted import oauth
from bottlecrm_mcp.refusal import Refusal

logger = logging.getLogger("bottlecrm_mcp")

# What the inner request keeps of the outer one: where it came from, nothing that identifies.
FORWARDED = (
    "HTTP_HOST",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_REAL_IP",
    "HTTP_USER_AGENT",
)
# One of the codes that JSON-RPC leaves to servers.
RATE_LIMITED = -32029


@dataclass(frozen=True)
class Call:
    """One authenticated HTTP request to /mcp."""

    caller: Caller
    secret: str
    origin: Origin
    slot: limits.Slot = field(default_factory=limits.Slot)

    def __repr__(self) -> str:
        return f"<Call by {self.caller.email}>"


async def admit_token(request: ASGIRequest) -> Call:
    try:
        secret = bearer_secret(request.headers.get("Authorization", ""))
        with oversight.coming_from(request):
            seconds = mcp_settings().CALL_SECONDS
            caller, slot = await pool.in_time(lambda: _admitted(secret), seconds)
        slot = slot or await limits.waited_slot(caller.token_id)
    except Unauthorized as refusal:
        raise Refusal(401, str(refusal), [_challenge(refusal)]) from refusal
    except oversight.NotAdmitted as refusal:
        raise Refusal(403, str(refusal)) from refusal
    except limits.TooManyCalls as refusal:
        wait = [("Retry-After", str(refusal.seconds))]
        raise Refusal(429, str(refusal), wait, RATE_LIMITED) from refusal
    except DatabaseError as problem:
        logger.exception("The database could not be asked for a token")
        raise _unavailable("The CRM's database does not answer; try again.") from problem
    except pool.Busy as problem:
        raise _unavailable(pool.BUSY) from problem
    except pool.Overdue as problem:
        raise _unavailable("The CRM's database does not answer in time.") from problem
    return Call(caller, secret, _origin(request), slot)


def _admitted(secret: str) -> tuple[Caller, limits.Slot | None]:
    caller = authenticate(secret)
    calls.note(token_id=caller.token_id, token_prefix=shown_prefix(secret), org_id=caller.org_id)
    limits.count_call(caller.token_id)
    return caller, limits.take_slot(caller.token_id)


def _unavailable(message: str) -> Refusal:
    return Refusal(503, message, [("Retry-After", "1")], INTERNAL_ERROR)


def _challenge(refusal: Unauthorized) -> tuple[str, str]:
    parts = ['Bearer realm="BottleCRM"']
    # RFC 6750, section 3.1: no error code when no credential was sent.
    if refusal.presented:
        parts.append(f'error="invalid_token", error_description="{refusal}"')
    if oauth.is_on():
        from bottlecrm_mcp.hosted.oauth.metadata import challenge

        parts.append(challenge())
    return "WWW-Authenticate", ", ".join(parts)


def _origin(request: ASGIRequest) -> Origin:
    meta = request.META
    return Origin(
        host=meta["SERVER_NAME"],
        port=meta["SERVER_PORT"],
        scheme=request.scope.get("scheme", "http"),
        client=meta.get("REMOTE_ADDR", ""),
        headers=tuple((name, meta[name]) for name in FORWARDED if name in meta),
    )
