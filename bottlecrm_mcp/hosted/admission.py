"""Admission of a request: authentication, policy and limits, before its message is parsed."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.core.handlers.asgi import ASGIRequest
from django.db import Error as DatabaseError
from django.db import OperationalError
from mcp_types import INTERNAL_ERROR

from bottlecrm_mcp import telemetry
from bottlecrm_mcp.conf import mcp_settings
from bottlecrm_mcp.gateway.base import Caller, GatewayError
from bottlecrm_mcp.gateway.in_process.deadline import Deadline
from bottlecrm_mcp.gateway.in_process.gateway import Origin, require_connection
from bottlecrm_mcp.gateway.in_process.live_connection import ensure_live_connection
from bottlecrm_mcp.hosted import oauth, rate_limits, thread_pool, token_policy
from bottlecrm_mcp.hosted.audit import Write
from bottlecrm_mcp.hosted.authentication import (
    Unauthorized,
    authenticate,
    bearer_secret,
    shown_prefix,
)
from bottlecrm_mcp.hosted.errors import HttpError
from bottlecrm_mcp.one_line import one_line

if TYPE_CHECKING:
    from bottlecrm_mcp.hosted.forms import Forms

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
PERMISSIONS_CHANGED = (
    "What this token may do has changed since the call began: look again, then make the call anew."
)
# One of the codes that JSON-RPC leaves to servers.
RATE_LIMITED = -32029


@dataclass
class Call:
    """One authenticated HTTP request to /mcp.

    `deadline` is that of everything that is done for it. What its token may do was looked up when
    that time began. `write` is what its message may write, as soon as that is known, `meant` the
    ids of the records that its arguments name, as they are found. `client`, `shows_cards` and
    `forms` are of a client on the older revisions that has forms or cards: its name, whether it has
    the latter, and the way to ask it. `receive` is ASGI's, which says when the client leaves.
    """

    caller: Caller
    secret: str
    origin: Origin
    deadline: Deadline
    slot: rate_limits.Slot = field(default_factory=rate_limits.Slot)
    write: Write | None = None
    meant: list[str] = field(default_factory=list)
    client: str = ""
    shows_cards: bool = False
    forms: Forms | None = None
    receive: Any = None

    def __repr__(self) -> str:
        return f"<Call by {self.caller.email}>"


async def admit_token(request: ASGIRequest) -> Call:
    """The call of the token in this request. Raises `HttpError`."""
    slot = rate_limits.Slot()
    try:
        return await _call(request, slot)
    except BaseException:
        rate_limits.leave(slot)
        raise


async def _call(request: ASGIRequest, slot: rate_limits.Slot) -> Call:
    with refusals():
        secret = bearer_secret(request.META.get("HTTP_AUTHORIZATION", ""))
        rate_limits.require_calls_left(secret)
        call, is_slot_taken = await thread_pool.in_pool_within(
            lambda: admitted(secret, origin_of(request), slot),
            Deadline(mcp_settings().CALL_SECONDS),
        )
        if not is_slot_taken:
            await rate_limits.wait_for(slot, call.caller.user_id, call.deadline)
    return call


@contextmanager
def refusals() -> Iterator[None]:
    """What keeps a request from being admitted, as `HttpError`."""
    try:
        yield
    except Unauthorized as refusal:
        raise HttpError(401, str(refusal), [_challenge(refusal)]) from refusal
    except token_policy.NotAdmitted as refusal:
        raise HttpError(403, str(refusal)) from refusal
    except rate_limits.TooManyCalls as refusal:
        wait = [("Retry-After", str(refusal.seconds))]
        raise HttpError(429, str(refusal), wait, RATE_LIMITED) from refusal
    except DatabaseError as problem:
        # While PostgreSQL is away each request would log a stack trace, all of them the same.
        why = None if isinstance(problem, OperationalError) else problem
        said = one_line(str(problem))
        logger.error("The database could not be asked for a token: %s", said, exc_info=why)
        raise _unavailable("The CRM's database does not answer; try again.") from problem
    except thread_pool.Busy as problem:
        raise _unavailable(thread_pool.BUSY) from problem
    except thread_pool.Overdue as problem:
        raise _unavailable("The CRM's database does not answer in time.") from problem


def admitted(secret: str, origin: Origin, slot: rate_limits.Slot) -> tuple[Call, bool]:
    """The call of this token, counted, and whether it has the slot. For a pool thread."""
    ensure_live_connection()
    # From before the look-up on.
    deadline = Deadline(mcp_settings().CALL_SECONDS)
    caller = authenticate(secret)
    facts = {
        "token_id": caller.token_id,
        "token_prefix": shown_prefix(secret),
        "org_id": caller.org_id,
    }
    telemetry.annotate(**facts)
    rate_limits.count_call(secret, caller.user_id, facts)
    return Call(caller, secret, origin, deadline, slot), slot.take(caller.user_id)


@contextmanager
def authenticated_again(call: Call) -> Iterator[None]:
    """Look token, owner and policy up anew, for what is written within.

    A call may have waited since its admission: for a slot, a thread, a form, other requests of its
    own. Raises `GatewayError` if its token may no longer do what it might then.
    """
    require_connection()
    with token_policy.request_cache():
        try:
            caller = authenticate(call.secret)
        except Unauthorized as refusal:
            raise _not_written("unauthorized", str(refusal)) from refusal
        except token_policy.NotAdmitted as refusal:
            raise _not_written("policy", str(refusal)) from refusal
        except DatabaseError as problem:
            raise _not_written("unavailable", "The CRM's database does not answer.") from problem
        if caller.read_only:
            raise _not_written("policy", caller.read_only)
        if caller != call.caller:
            raise _not_written("conflict", PERMISSIONS_CHANGED)
        yield


def _not_written(code: str, reason: str) -> GatewayError:
    return GatewayError(code, f"{reason} Nothing was changed.")


def _unavailable(message: str) -> HttpError:
    return HttpError(503, message, [("Retry-After", "1")], INTERNAL_ERROR)


def _challenge(refusal: Unauthorized) -> tuple[str, str]:
    parts = ['Bearer realm="BottleCRM"']
    # RFC 6750, section 3.1: no error code when no credential was sent.
    if refusal.presented:
        parts.append(f'error="invalid_token", error_description="{refusal}"')
    if oauth.is_on():
        from bottlecrm_mcp.hosted.oauth.metadata import challenge

        parts.append(challenge())
    return "WWW-Authenticate", ", ".join(parts)


def origin_of(request: ASGIRequest) -> Origin:
    meta = request.META
    return Origin(
        host=meta["SERVER_NAME"],
        port=meta["SERVER_PORT"],
        scheme=request.scope.get("scheme", "http"),
        client=meta.get("REMOTE_ADDR", ""),
        headers=tuple((name, meta[name]) for name in FORWARDED if name in meta),
    )
