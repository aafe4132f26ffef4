"""A person's decision on what a client asks for: the one way to a connection.

How people sign in is no matter of this module: it takes a row of the owner model, as the pages and
the REST views do, and everything from the connection on hangs on that row by foreign keys.
"""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from pat_tokens.audit import events
from pat_tokens.conf import token_settings
from pat_tokens.host.owners import lock_member
from pat_tokens.models import AuthorizationRequest, Connection, Event, Policy
from pat_tokens.oauth import redirects
from pat_tokens.oauth.clients import record_use
from pat_tokens.oauth.connections import earlier_connection, has_too_many
from pat_tokens.oauth.grants import CODE_LIFETIME, new_code
from pat_tokens.oauth.requests import pending_request
from pat_tokens.oauth.scopes import narrowed
from pat_tokens.rls import in_organisation
from pat_tokens.services.client_policy import client_denial
from pat_tokens.services.policy import policy_of

DAYS = (1, 30, 90, 365)
USUAL_DAYS = 90
STAYS_CONFIRMED = (
    "Whatever you choose, deleting, mailing people outside and what can't be undone still wait for "
    "your yes. You can disconnect it at any time under Settings → API Tokens."
)


class NotPending(Exception):
    """The request is unknown, too old, or decided already."""

    def __init__(self) -> None:
        super().__init__(
            "This request is not open any more. Start again in the client that sent you here."
        )


class Switched(Exception):
    """The page was made for another person or organisation than is signed in now."""

    def __init__(self) -> None:
        super().__init__(
            "You are signed in as somebody else now. Look again at who connects to what."
        )


class NotAllowed(Exception):
    """The organisation's policy forbids the client, or nothing is left of what it asks for."""


def denial(owner: Any, request: AuthorizationRequest) -> str | None:
    """Why the person may not let this client in, by the organisation's policy or the cap."""
    if has_too_many(owner):
        return (
            f"A person may have {token_settings.max_live} live connections at most. Disconnect one "
            "that you no longer use, under Settings → API Tokens."
        )
    policy = policy_of(owner.org_id)
    if policy.agents == Policy.Agents.OFF:
        return "Your organisation does not allow assistants at present."
    return client_denial(policy.clients, policy.client_hosts, request.client_host)


def days_offered(policy: Policy) -> list[int]:
    """How long a connection may be made for."""
    longest = policy.longest_connection
    limit = longest.days if longest else None
    days = [each for each in DAYS if limit is None or each <= limit]
    return [*days, limit] if limit and limit < DAYS[-1] and limit not in days else days


@sensitive_variables("code")
def approve(owner: Any, pk: UUID, *, scopes: list[str], days: int, replaces: bool = False) -> str:
    """Make the connection; returns where to send the browser.

    `scopes` are what the person chose, `days` how long it lasts, `replaces` whether their earlier
    connection of this client ends as soon as the client has this one. Raises `NotPending` and
    `NotAllowed`.
    """
    now = timezone.now()
    with in_organisation(owner.org_id):
        request = pending_request(pk, lock=True)
        if request is None:
            raise NotPending
        lock_member(owner)
        granted = _granted(owner, request, scopes, days)
        expires_at = now + timedelta(days=days)
        earlier = earlier_connection(owner, request.client_id) if replaces else None
        connection = Connection.objects.create(
            owner=owner,
            org_id=owner.org_id,
            client_id=request.client_id,
            client_name=request.client_name,
            client_host=request.client_host,
            redirect_host=redirects.place(request.redirect_uri),
            resource=request.resource,
            scopes=granted,
            replaces_id=earlier.pk if earlier else None,
            expires_at=expires_at,
            # Until the client has fetched its first tokens.
            idle_expires_at=now + CODE_LIFETIME,
        )
        code = new_code(
            connection,
            redirect_uri=request.redirect_uri,
            names_redirect=request.names_redirect,
            code_challenge=request.code_challenge,
        )
        request.delete()
        record_use(request.client_id)
        events.record(
            Event.Kind.CONNECTED,
            org_id=owner.org_id,
            by=owner,
            connection=connection,
            detail=f"{request.client_host or 'unverified'}: {' '.join(granted)}",
        )
    return _answer(request, code=code)


def _granted(owner: Any, request: AuthorizationRequest, scopes: list[str], days: int) -> list[str]:
    if reason := denial(owner, request):
        raise NotAllowed(reason)
    if days not in days_offered(policy_of(owner.org_id)):
        raise NotAllowed("Your organisation does not allow connections to last that long.")
    granted = narrowed(scopes, request.scopes)
    if not granted:
        raise NotAllowed("The client asks for none of what you chose.")
    return granted


def deny(pk: UUID) -> str:
    """Drop the request; returns where to send the browser. Raises `NotPending`."""
    request = pending_request(pk)
    if request is None or not AuthorizationRequest.objects.filter(pk=pk).delete()[0]:
        raise NotPending
    said = "The person did not agree."
    return _answer(request, error="access_denied", error_description=said)


def _answer(request: AuthorizationRequest, **said: str) -> str:
    return redirects.answer(
        request.redirect_uri, **said, state=request.state, iss=token_settings.issuer
    )
