"""Token policy of `pat_tokens`; where that is not installed, tokens are admitted as they are."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from django.apps import apps
from django.http import HttpRequest

from bottlecrm_mcp.gateway.base import Caller, GatewayError, LeftToday
from bottlecrm_mcp.gateway.in_process.gateway import database_call


class NotAdmitted(Exception):
    """The organisation's policy refuses the token; the message says why."""


def is_installed() -> bool:
    return apps.is_installed("pat_tokens")


def admitted(caller: Caller, token: Any) -> Caller:
    """The caller as the organisation's policy leaves it. Raises `NotAdmitted`."""
    if not is_installed():
        return caller
    from pat_tokens import mcp_endpoint

    try:
        admission = mcp_endpoint.admit(token)
    except mcp_endpoint.NotAdmitted as refusal:
        raise NotAdmitted(str(refusal)) from refusal
    return replace(
        caller,
        scopes=admission.scopes,
        read_only=admission.read_only,
        sealed=admission.sealed,
        token_name=admission.token_name,
        token_prefix=admission.token_prefix,
        little_left=admission.little_left,
        left_today={
            each.kind: LeftToday(each.count, each.name, each.reached)
            for each in admission.left_today
        },
    )


def count_write(caller: Caller, deletes: int, mails: int) -> None:
    """Count a write in its own transaction. Raises `GatewayError` beyond the limit of the day."""
    if not is_installed():
        return
    from pat_tokens import mcp_endpoint

    try:
        mcp_endpoint.count_write(caller.org_id, caller.token_id, deletes=deletes, mails=mails)
    except mcp_endpoint.LimitReached as reached:
        raise GatewayError("limit_reached", f"{reached} Nothing was changed.") from reached


@contextmanager
def coming_from(request: HttpRequest) -> Iterator[None]:
    """Lets what is recorded within say where the request came from."""
    if not is_installed():
        yield
        return
    from pat_tokens.mcp_endpoint import coming_from, source_of

    with coming_from(source_of(request)):
        yield


@contextmanager
def acting_as(org_id: str, token_id: str) -> Iterator[str]:
    """A secret for requests within the block as this token or connection. Needs `pat_tokens`."""
    from pat_tokens.mcp_endpoint import acting_as

    with acting_as(org_id, token_id) as secret:
        yield secret


@contextmanager
def request_cache() -> Iterator[None]:
    """Lets admission and the requests to the CRM within share their look-ups of the token."""
    if not is_installed():
        yield
        return
    from pat_tokens.mcp_endpoint import request_cache

    with request_cache():
        yield


def forget_request_cache() -> None:
    """Lets what follows look up the token again."""
    if is_installed():
        from pat_tokens.mcp_endpoint import forget

        forget()


async def flush_calls() -> None:
    """Have the calls that still wait to be logged stored, within a few seconds."""
    if is_installed():
        from pat_tokens.mcp_endpoint import flush_calls

        def flush() -> None:
            with database_call():
                flush_calls()

        await asyncio.to_thread(flush)
