"""Rows of the lists: what a page says of a token or connection."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from pat_tokens.host.tokens import status_of
from pat_tokens.lists.listing import CONNECTION, HOST_TOKEN, TOKEN
from pat_tokens.models import Connection, Policy, Token
from pat_tokens.oauth.connections import connection_page
from pat_tokens.pages.event_words import plainly
from pat_tokens.services import presets
from pat_tokens.services.refusals import last_refusal

SOON = timedelta(days=14)
# Connections that a page of tokens shows; a page of their own has them all.
FIRST_CONNECTIONS = 5
LIVING = ("active", "paused")
CUT_OFF = "Tokens are switched off."
STOPPED = "All are stopped."


def row_of(token: Token) -> dict[str, Any]:
    old = token.previous_expires_at
    row = {
        "token": token,
        "prefix": token.prefix,
        "reason": token.status_reason,
        "access": presets.summary(token.scopes),
        "previous_until": old if old and old > timezone.now() else None,
        "refusal": refusal_of(token),
    }
    return row | _standing(token.status, token.ends_at)


def refusal_of(token: Token) -> dict[str, Any] | None:
    """When the token was refused last, and why in plain words."""
    refusal = last_refusal(token)
    return {"at": refusal[0], "why": plainly(refusal[1])} if refusal else None


def host_row_of(row: Any) -> dict[str, Any]:
    shown = {
        "token": row,
        "prefix": row.token_prefix,
        "access": presets.summary(row.scopes),
        "of_host": True,
    }
    return shown | _standing(status_of(row), row.expiry)


def connection_row_of(connection: Connection) -> dict[str, Any]:
    return {
        "connection": connection,
        "status": connection.status,
        "reason": connection.status_reason,
        "access": presets.summary(connection.scopes),
        "is_live": connection.status == "active",
    }


def _standing(status: str, ends_at: datetime | None) -> dict[str, Any]:
    return {
        "status": status,
        "ends_at": ends_at,
        "is_live": status == "active",
        "can_end": status in LIVING,
        "ends_soon": _ends_soon(ends_at) if status in LIVING else "",
    }


def _ends_soon(ends_at: datetime | None) -> str:
    if ends_at is None or (left := ends_at - timezone.now()) > SOON:
        return ""
    return f"in {left.days} day{'' if left.days == 1 else 's'}" if left.days else "within a day"


# By the kind of line.
PAGE_ROWS: dict[str, Callable[[Any], dict[str, Any]]] = {
    TOKEN: row_of,
    HOST_TOKEN: host_row_of,
    CONNECTION: connection_row_of,
}


def under(policy: Policy, row: dict[str, Any]) -> dict[str, Any]:
    """The row as it stands where all may be stopped, or the policy has switched tokens off."""
    if policy.stop is not None and row["status"] in LIVING:
        return {**row, "cut_off": STOPPED}
    is_off = policy.agents == Policy.Agents.OFF and row["status"] in LIVING
    return {**row, "cut_off": CUT_OFF} if is_off else row


def first_connections(policy: Policy, org_id: Any, **wanted: Any) -> dict[str, Any]:
    """What a page of tokens shows of the connections."""
    shown = connection_page(org_id, limit=FIRST_CONNECTIONS, **wanted)
    rows = [under(policy, PAGE_ROWS[kind](row)) for kind, row in shown.lines]
    return {"connections": rows, "more_connections": shown.next is not None}
