"""Execution of tools: on a pool thread, as the caller, within the time of the call."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from functools import partial
from typing import Any

from django.conf import settings
from django.core.cache import cache

from bottlecrm_mcp.conf import mcp_settings
from bottlecrm_mcp.gateway.base import OUTCOME_UNKNOWN, GatewayError
from bottlecrm_mcp.gateway.in_process.gateway import InProcessGateway
from bottlecrm_mcp.gateway.in_process.transactions import too_late
from bottlecrm_mcp.hosted import thread_pool, token_policy
from bottlecrm_mcp.hosted.admission import Call, authenticated_again
from bottlecrm_mcp.hosted.audit import Audit
from bottlecrm_mcp.hosted.files.offers import HostedFileLinks
from bottlecrm_mcp.tools.arguments.call_limits import CallLimits
from bottlecrm_mcp.tools.confirmation.seal import Seal, derive_key
from bottlecrm_mcp.tools.crm import Crm

# What a call may take beyond its time until nobody waits for it any more.
GRACE_SECONDS = 2

# Ambient: the SDK says which request it is about in most places, but not where it asks for the
# options of an initialisation.
current_call: ContextVar[Call] = ContextVar("current_call")


async def run_as_caller(work: Callable[[Crm], Any]) -> Any:
    """The result of `work` on a pool thread, within the call's deadline.

    Raises `GatewayError` (busy, timeout), and what the work raises.
    """
    call = current_call.get()

    def run() -> Any:
        if not call.slot.hold():
            raise thread_pool.Busy
        audit = Audit(call.write, call.caller, call.deadline, meant=call.meant)
        try:
            return audit.of(lambda: _worked(work, call, audit))
        finally:
            # Before the client has its answer, and may make its next call.
            call.slot.release()

    try:
        with _given_up_with_its_client(call):
            # What is cut off at the deadline still has to say so.
            return await thread_pool.in_pool_within(run, call.deadline, GRACE_SECONDS)
    except thread_pool.Busy as refusal:
        raise GatewayError("busy", f"{thread_pool.BUSY} Nothing was changed.") from refusal
    except thread_pool.Overdue as fault:
        raise too_late(OUTCOME_UNKNOWN if call.write else "") from fault


@contextmanager
def _given_up_with_its_client(call: Call) -> Iterator[None]:
    """Of several records, begin with none after the client has left."""
    if call.receive is None or call.write is None or call.write.record_id:
        yield
        return

    async def give_up() -> None:
        while (await call.receive())["type"] != "http.disconnect":
            pass
        call.deadline.is_given_up = True

    watch = asyncio.ensure_future(give_up())
    try:
        yield
    finally:
        watch.cancel()


def _worked(work: Callable[[Crm], Any], call: Call, audit: Audit) -> Any:
    gateway = InProcessGateway(
        mcp_settings().catalogue,
        call.caller,
        call.secret,
        call.origin,
        deadline=call.deadline,
        for_write=lambda: authenticated_again(call),
        note=audit.note,
        count_write=partial(token_policy.count_write, call.caller),
    )
    with gateway.session():
        return work(replace(crm_with(gateway), meant=call.meant))


def crm_with(gateway: InProcessGateway) -> Crm:
    """What the tools work with, on this way to the CRM."""
    configured, caller = mcp_settings(), gateway.caller
    sealed = configured.CONFIRMATION == "sealed" or caller.sealed
    call_limits = CallLimits(
        configured.MAX_DEPTH, configured.MAX_VALUES, configured.MAX_ANSWER_BYTES
    )
    return Crm(
        caller,
        gateway.catalogue,
        gateway,
        seal(),
        sealed,
        call_limits=call_limits,
        web_address=configured.web_address,
        files=HostedFileLinks(gateway, seal()) if caller.own_token else None,
    )


def keys() -> list[bytes]:
    """Keys that all processes and hosts of this CRM share; the first is in use."""
    secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return [derive_key(secret) for secret in secrets]


def seal() -> Seal:
    """Of this site's keys; what is spent is noted in Django's cache."""
    return Seal(keys(), _spend)


def _spend(digest: str, lifetime: int) -> bool:
    try:
        return bool(cache.add(f"bottlecrm_mcp:spent:{digest}", True, lifetime))
    except Exception as problem:
        raise GatewayError(
            "unavailable",
            "The CRM's cache does not answer, so it is not known whether this confirmation was "
            "used before. Nothing was changed; try again later.",
        ) from problem
