"""Session checks: has each connection a database session that begins without an organisation?

`app.current_org` belongs to the session. A pooler that lends one session to several connections, or
hands it on as it was left, opens one organisation's rows to another. Tried with connections beside
Django's own, since no setting of Django tells what stands between it and PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from uuid import uuid4

import psycopg
from django.db import connection

from bottlecrm_mcp.conf import mcp_settings
from bottlecrm_mcp.doctor.findings import Finding, failure, ok, warning
from bottlecrm_mcp.gateway.in_process.gateway import ORG_VARIABLE

ROUNDS = 3
# A setting that nobody reads: with a shared session it stays where it can't be cleared.
PROBE = "bottlecrm_mcp.probe"
# What psycopg_pool opens at most when nothing is said.
POOL_SIZE = 4

Session = psycopg.Connection[Any]


def check_sessions() -> Iterator[Finding]:
    part = "database sessions"
    if _are_shared():
        yield failure(
            part,
            "A pooler lends one session to several connections, so app.current_org is lost or is "
            "another organisation's: let it pool sessions, not transactions (PgBouncer: "
            "pool_mode = session).",
        )
    elif _are_handed_on():
        yield failure(
            part,
            "A pooler gives a new connection the organisation that another one left: let it reset "
            "sessions (PgBouncer: server_reset_query = DISCARD ALL).",
        )
    else:
        yield ok(part, "Each connection has one of its own, which begins without an organisation.")


def check_pool() -> Iterator[Finding]:
    part = "connection pool"
    pool = connection.settings_dict["OPTIONS"].get("pool")
    if not pool:
        yield _without_pool(part)
        return
    options: dict[str, Any] = pool if isinstance(pool, dict) else {}
    most = options.get("max_size") or options.get("min_size") or POOL_SIZE
    threads = mcp_settings().THREADS
    if not _clears(options.get("reset")):
        yield failure(
            part,
            "The pool's `reset` is missing or leaves app.current_org set, so an organisation "
            "reaches the next request: give it a function that clears app.current_org.",
        )
    elif most < threads:
        yield warning(
            part,
            f"The pool has {most} connections for {threads} tool calls at once: raise max_size or "
            "lower BOTTLECRM_MCP['THREADS'].",
        )
    else:
        yield ok(part, f"It is reset, and {most} connections are enough for {threads} threads.")


def _without_pool(part: str) -> Finding:
    if connection.settings_dict["CONN_MAX_AGE"] != 0:
        return warning(
            part,
            "CONN_MAX_AGE keeps connections between requests and nothing resets them: set it to "
            "0, or use a pool with a `reset` that clears app.current_org.",
        )
    return ok(part, "There is none; each tool call has a connection of its own.")


def _are_shared() -> bool:
    """Whether a connection loses what it set, or sees what another one set."""
    with _connected() as first, _connected() as second:
        own = {first: _set(first, PROBE, "first"), second: _set(second, PROBE, "second")}
        for _ in range(ROUNDS):
            for holder in (first, second):
                # A session that a transaction holds can't be lent, so that the other one moves.
                with holder.transaction():
                    if any(_setting(each, PROBE) != value for each, value in own.items()):
                        return True
    return False


def _are_handed_on() -> bool:
    nobody = str(uuid4())
    with _connected() as left:
        _set(left, ORG_VARIABLE, nobody)
    with ExitStack() as stack:
        for _ in range(ROUNDS):
            session = stack.enter_context(_connected())
            if _setting(session, ORG_VARIABLE) == nobody:
                _set(session, ORG_VARIABLE, "")
                return True
    return False


def _clears(reset: Any) -> bool:
    if not callable(reset):
        return False
    with _connected() as session:
        _set(session, ORG_VARIABLE, str(uuid4()))
        reset(session)
        return not _setting(session, ORG_VARIABLE)


def _connected() -> Session:
    return psycopg.connect(**connection.get_connection_params(), autocommit=True)


def _set(session: Session, name: str, value: str) -> str:
    session.execute("SELECT set_config(%s, %s, false)", [name, value])
    return value


def _setting(session: Session, name: str) -> str:
    [(value,)] = session.execute("SELECT current_setting(%s, true)", [name]).fetchall()
    return value or ""
