"""Page views of a person's own tokens. Only the answer to the POST that made one has its secret."""

import shlex
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db import IntegrityError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_GET, require_http_methods
from rest_framework.exceptions import APIException

from pat_tokens.api.views import mcp_url
from pat_tokens.conf import token_settings
from pat_tokens.host.tokens import status_of
from pat_tokens.lists.listing import CONNECTION, HOST_TOKEN, TOKEN
from pat_tokens.lists.paging import PAGE_SIZE, BadCursor, Page
from pat_tokens.models import Connection, Token
from pat_tokens.oauth.connections import connection_page
from pat_tokens.pages.access import member_page, owner_of
from pat_tokens.pages.forms import TokenForm
from pat_tokens.services import presets
from pat_tokens.services.client_configs import configurations, local_command
from pat_tokens.services.issue import create_token, rotate_token
from pat_tokens.services.own_tokens import own_name, own_page, own_token, revoke_own
from pat_tokens.services.policy import policy_of

DONE = {
    "revoked": "The token was revoked. What used it gets no more answers.",
    "policy": "The policy was saved. It is in force now.",
    "revoked-all": "The tokens were revoked.",
    "disconnected": "The client is disconnected. Its next request fails.",
}


@member_page
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_variables()
def tokens(request: HttpRequest) -> HttpResponse:
    owner = owner_of(request)
    policy = policy_of(owner.org_id)
    form = TokenForm(request.POST or None, owner=owner, policy=policy)
    if request.method == "POST" and form.is_valid():
        wanted = form.cleaned_data
        if own_token(owner, wanted["id"]):
            return redirect("pat_tokens_page:token", pk=wanted["id"])
        try:
            token, secret = create_token(owner, **wanted)
        except IntegrityError:
            # The same form, sent twice at once.
            return redirect("pat_tokens_page:token", pk=wanted["id"])
        except APIException as refusal:
            form.add_error(None, str(refusal.detail))
        else:
            return _told_once(request, token, secret)
    cursor = request.GET.get("cursor", "")
    shown = page_of(own_page, owner, cursor=cursor, limit=PAGE_SIZE)
    context: dict[str, Any] = {
        "rows": [PAGE_ROWS[kind](row) for kind, row in shown.lines],
        "cursor": cursor,
        "next": next_url(request, shown),
        "form": form,
        "policy": policy,
    }
    if not cursor:
        context |= first_connections(owner.org_id, person=owner.pk)
    return page(request, "tokens", context, status=400 if form.errors else 200)


@member_page
@require_GET
def token(request: HttpRequest, pk: UUID) -> HttpResponse:
    found = _own(request, pk)
    clients = configurations(mcp_url(request))
    return page(request, "token", {"row": row_of(found), "clients": clients})


@member_page
@require_GET
def connection(request: HttpRequest, pk: UUID) -> JsonResponse:
    """For the connection check; the REST endpoint of the token says the same."""
    found = _own(request, pk)
    names = ("status", "first_mcp_at", "last_used_at", "last_refused_at", "last_refusal")
    return JsonResponse({name: getattr(found, name) for name in names})


@member_page
@require_http_methods(["GET", "POST"])
@sensitive_variables()
def rotate(request: HttpRequest, pk: UUID) -> HttpResponse:
    found = _own(request, pk)
    if request.method == "POST":
        try:
            return _told_once(request, found, rotate_token(found))
        except APIException as refusal:
            return confirm(request, "Rotate", found.name, str(refusal.detail), status=409)
    text = (
        "You get a new secret, with the lifetime starting anew. The old secret works for another "
        "24 hours, so that you can change over; rotating again ends it at once."
    )
    return confirm(request, "Rotate", found.name, text)


@member_page
@require_http_methods(["GET", "POST"])
def revoke(request: HttpRequest, pk: UUID) -> HttpResponse:
    owner = owner_of(request)
    if request.method == "POST":
        if not revoke_own(owner, pk):
            raise Http404
        return done("pat_tokens_page:tokens", "revoked")
    if (name := own_name(owner, pk)) is None:
        raise Http404
    text = "The next request with it fails. This can't be undone; you can create a new token."
    return confirm(request, "Revoke", name, text)


@sensitive_variables()
def _told_once(request: HttpRequest, token: Token, secret: str) -> HttpResponse:
    clients = configurations(mcp_url(request), secret)
    return page(
        request,
        "created",
        {
            "row": row_of(token),
            "secret": secret,
            "clients": clients,
            "local": shlex.join(local_command()[1:]) if token_settings.local_package else "",
            "data": [client.as_dict() for client in clients],
        },
    )


def _own(request: HttpRequest, pk: UUID) -> Token:
    found = own_token(owner_of(request), pk)
    if found is None:
        raise Http404
    return found


def row_of(token: Token) -> dict[str, Any]:
    return {
        "token": token,
        "prefix": token.prefix,
        "status": token.status,
        "reason": token.status_reason,
        "access": presets.summary(token.scopes),
        "ends_at": token.ends_at,
        "is_live": token.status == "active",
    }


def connection_row_of(connection: Connection) -> dict[str, Any]:
    return {
        "connection": connection,
        "status": connection.status,
        "reason": connection.status_reason,
        "access": presets.summary(connection.scopes),
        "is_live": connection.status == "active",
    }


def host_row_of(row: Any) -> dict[str, Any]:
    status = status_of(row)
    return {
        "token": row,
        "prefix": row.token_prefix,
        "status": status,
        "access": presets.summary(row.scopes),
        "ends_at": row.expiry,
        "is_live": status == "active",
        "of_host": True,
    }


# By the kind of line.
PAGE_ROWS: dict[str, Callable[[Any], dict[str, Any]]] = {
    TOKEN: row_of,
    HOST_TOKEN: host_row_of,
    CONNECTION: connection_row_of,
}


def first_connections(org_id: Any, **wanted: Any) -> dict[str, Any]:
    """What a page of tokens shows of the connections; a page of their own has them all."""
    shown = connection_page(org_id, **wanted)
    rows = [PAGE_ROWS[kind](row) for kind, row in shown.lines]
    return {"connections": rows, "more_connections": shown.next is not None}


def page_of(read: Callable[..., Page], *args: Any, **kwargs: Any) -> Page:
    """What is read; there is no page at a cursor that was made up."""
    try:
        return read(*args, **kwargs)
    except BadCursor as bad:
        raise Http404(bad) from bad


def next_url(request: HttpRequest, shown: Page) -> str:
    """The address of the next page, with the same filters; empty after the last."""
    if shown.next is None:
        return ""
    query = filters_in(request)
    query["cursor"] = shown.next
    return f"?{query.urlencode()}"


def filters_in(request: HttpRequest) -> QueryDict:
    """The parameters, without those that belong to this page alone."""
    query = request.GET.copy()
    for name in ("cursor", "done"):
        query.pop(name, None)
    return query


def page(
    request: HttpRequest, name: str, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    owner = owner_of(request)
    shared = {
        "owner": owner,
        "is_admin": token_settings.is_admin(owner),
        "notice": DONE.get(request.GET.get("done", "")),
    }
    return render(request, f"pat_tokens/{name}.html", {**shared, **context}, status=status)


def confirm(
    request: HttpRequest,
    verb: str,
    what: str,
    text: str,
    back: str = "pat_tokens_page:tokens",
    status: int = 200,
) -> HttpResponse:
    """The page that asks before `what` is done by POST. A status over 200 only tells why not."""
    context = {
        "verb": verb,
        "what": what,
        "text": text,
        "back": reverse(back),
        "final": status > 200,
    }
    return page(request, "confirm", context, status=status)


def done(where: str, what: str) -> HttpResponse:
    """A redirect to the page `where`, which shows the notice `what`, a key of `DONE`."""
    return redirect(f"{reverse(where)}?done={what}")
