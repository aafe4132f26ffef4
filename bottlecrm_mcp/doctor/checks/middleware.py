"""Middleware checks: is a token's owner identified, and the organisation opened, in that order?

Seen, not guessed from names: one request is sent through the chain with a probe between each two
middlewares.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connection
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.test.utils import override_settings

from bottlecrm_mcp.conf import mcp_settings
from bottlecrm_mcp.doctor.findings import Finding, failure, ok
from bottlecrm_mcp.doctor.person import Person
from bottlecrm_mcp.gateway.in_process.gateway import ORG_VARIABLE, Dispatcher

PART = "middleware"
TOKEN_CONTEXT = "pat_tokens.middleware.TokenContext"
PROBE = f"{__name__}.Probe"
# Where to put TokenContext, in hosts that are known.
IDENTIFIES = ("common.middleware.get_company.GetProfileAndOrg",)
OPENS = (
    "common.middleware.rls_context.RequireOrgContext",
    "common.middleware.rls_context.SetOrgContext",
)


@dataclass(frozen=True)
class Seen:
    """A request between two middlewares: its organisation, and the database session's."""

    request_org: str
    session_org: str


_seen: ContextVar[list[Seen]] = ContextVar("seen")


class Probe:
    sync_capable = True
    async_capable = False

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        org = getattr(request, "org", None)
        _seen.get().append(Seen(str(org.pk) if org else "", session_org()))
        return self.get_response(request)


def session_org() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting(%s, true)", [ORG_VARIABLE])
        return cursor.fetchone()[0] or ""


def check_middleware(person: Person) -> Iterator[Finding]:
    if apps.is_installed("pat_tokens") and TOKEN_CONTEXT not in settings.MIDDLEWARE:
        yield failure(PART, f"Add {TOKEN_CONTEXT} to MIDDLEWARE{_place()}.")
        return
    seen, response = _walk(person)
    left_behind = session_org()
    yield _judge(person.caller.org_id, seen, response.status_code)
    if left_behind:
        yield failure(
            PART,
            "app.current_org is still set after a request: the middleware that sets it must clear "
            "it when the response goes out.",
        )


def _walk(person: Person) -> tuple[list[Seen], HttpResponseBase]:
    """What each probe saw: the first before all middleware, then one after each."""
    probed = [PROBE, *(path for each in settings.MIDDLEWARE for path in (each, PROBE))]
    request: Any = person.gateway().request("GET", mcp_settings().catalogue.profile_path)
    token = _seen.set([])
    try:
        with override_settings(MIDDLEWARE=probed):
            response = Dispatcher().get_response(request)
        return _seen.get(), response
    finally:
        _seen.reset(token)


def _judge(org_id: str, seen: list[Seen], status: int) -> Finding:
    chain = list(settings.MIDDLEWARE)
    if loser := _loser(seen, chain):
        return failure(
            PART, f"{loser} drops the organisation that a token gave the request: {_order(loser)}."
        )
    if len(seen) <= len(chain):
        by = chain[len(seen) - 1]
        return failure(PART, f"{by} refuses a valid token (status {status}): {_order(by)}.")
    if seen[-1].request_org != org_id:
        return failure(
            PART, f"No middleware gives a request with a token its organisation{_help()}."
        )
    if seen[-1].session_org != org_id:
        return failure(
            PART, f"No middleware sets app.current_org to the organisation of a token{_help()}."
        )
    identifies = chain[next(at for at, each in enumerate(seen) if each.request_org) - 1]
    opens = chain[next(at for at, each in enumerate(seen) if each.session_org) - 1]
    return ok(PART, f"{identifies} identifies a token, {opens} opens its organisation.")


def _loser(seen: list[Seen], chain: list[str]) -> str:
    for (before, after), path in zip(pairwise(seen), chain, strict=False):
        if before.request_org and not after.request_org:
            return path
    return ""


def _order(other: str) -> str:
    """How the two would have to stand."""
    chain = list(settings.MIDDLEWARE)
    if TOKEN_CONTEXT not in chain:
        return "it has to come before what sets app.current_org"
    after = chain.index(other) > chain.index(TOKEN_CONTEXT)
    return f"put {TOKEN_CONTEXT} {'after' if after else 'before'} it"


def _help() -> str:
    return f": put {TOKEN_CONTEXT}{_place()}" if TOKEN_CONTEXT in settings.MIDDLEWARE else ""


def _place() -> str:
    after = next((each for each in settings.MIDDLEWARE if each in IDENTIFIES), "")
    before = next((each for each in settings.MIDDLEWARE if each in OPENS), "")
    return (
        f", after {after or 'what identifies people'} and before "
        f"{before or 'what sets app.current_org'}"
    )
