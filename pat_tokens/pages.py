"""A person's own tokens, as pages. The secret is in the answer to the POST that made it only."""

from typing import Any
from uuid import UUID

from django.db import IntegrityError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_GET, require_http_methods
from rest_framework.exceptions import APIException

from pat_tokens import presets
from pat_tokens.clients import configurations
from pat_tokens.conf import token_settings
from pat_tokens.forms import TokenForm
from pat_tokens.issue import create_token, rotate_token
from pat_tokens.models import Connection, Token
from pat_tokens.oauth.connections import own_connections
from pat_tokens.oversight import is_live
from pat_tokens.own import own_host_tokens, own_token, own_tokens, revoke_own
from pat_tokens.page_access import member_page, owner_of
from pat_tokens.policy import policy_of
from pat_tokens.views import mcp_url

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
    rows = [row_of(token) for token in own_tokens(owner)]
    rows += [host_row_of(row) for row in own_host_tokens(owner)]
    return page(
        request,
        "tokens",
        {
            "rows": rows,
            "connections": connection_rows(own_connections(owner)),
            "form": form,
            "policy": policy,
        },
        status=400 if form.errors else 200,
    )


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
    names = [token.name for token in own_tokens(owner) if token.pk == pk]
    names += [row.name for row in own_host_tokens(owner) if row.pk == pk]
    if not names:
        raise Http404
    text = "The next request with it fails. This can't be undone; you can create a new token."
    return confirm(request, "Revoke", names[0], text)


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


def connection_rows(connections: list[Connection]) -> list[dict[str, Any]]:
    return [
        {
            "connection": each,
            "status": each.status,
            "reason": each.status_reason,
            "access": presets.summary(each.scopes),
            "is_live": each.status == "active",
        }
        for each in connections
    ]


def host_row_of(row: Any) -> dict[str, Any]:
    live = is_live(row)
    return {
        "token": row,
        "prefix": row.token_prefix,
        "status": "active" if live else "revoked" if row.revoked_at else "expired",
        "access": presets.summary(row.scopes),
        "ends_at": row.expires_at,
        "is_live": live,
        "of_host": True,
    }


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
    context = {
        "verb": verb,
        "what": what,
        "text": text,
        "back": reverse(back),
        "final": status > 200,
    }
    return page(request, "confirm", context, status=status)


def done(where: str, what: str) -> HttpResponse:
    return redirect(f"{reverse(where)}?done={what}")
