"""Page views of a person's own tokens. Only the answer to the POST that made one has its secret."""

import shlex
from typing import Any
from uuid import UUID

from django.db import IntegrityError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_GET, require_http_methods, require_safe
from rest_framework.exceptions import APIException, Throttled

from pat_tokens.api.views import found, mcp_url
from pat_tokens.conf import token_settings
from pat_tokens.lists.filters import OwnFilter
from pat_tokens.models import Token
from pat_tokens.pages.access import member_page, owner_of
from pat_tokens.pages.chart import chart_of
from pat_tokens.pages.forms import TokenForm
from pat_tokens.pages.rendering import filters_in, next_url, page, page_of, position_of
from pat_tokens.pages.rows import PAGE_ROWS, first_connections, refusal_of, row_of, under
from pat_tokens.services import issue
from pat_tokens.services.client_configs import configurations, local_command
from pat_tokens.services.daily_limits import used_today
from pat_tokens.services.downloads import downloads
from pat_tokens.services.issue import create_token
from pat_tokens.services.own_tokens import own_page, own_token
from pat_tokens.services.policy import policy_of


@member_page
@require_safe
def tokens(request: HttpRequest) -> HttpResponse:
    owner = owner_of(request)
    policy = policy_of(owner.org_id)
    form = OwnFilter(request.GET)
    cursor = request.GET.get("cursor", "")
    context: dict[str, Any] = {"form": form, "policy": policy, "cursor": cursor}
    if not form.is_valid():
        return page(request, "tokens/list", context, status=400)
    shown = page_of(own_page, owner, **form.wanted, **position_of(form))
    context |= {
        "rows": [under(policy, PAGE_ROWS[kind](row)) for kind, row in shown.lines],
        "next": next_url(request, shown),
        "filters": filters_in(request).urlencode(),
        "is_narrowed": any(form.wanted.values()),
    }
    if not cursor and not context["is_narrowed"]:
        context |= first_connections(policy, owner.org_id, person=owner.pk)
    return page(request, "tokens/list", context)


@member_page
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_variables()
def new(request: HttpRequest) -> HttpResponse:
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
            form.add_error(None, in_words(refusal))
        else:
            return told_once(request, token, secret)
    context = {"form": form, "policy": policy}
    return page(request, "tokens/new", context, status=400 if form.errors else 200)


def in_words(refusal: APIException) -> str:
    """Why a secret was refused, as a person is told."""
    if isinstance(refusal, Throttled):
        return f"You can create {issue.PER_HOUR} tokens an hour. Try again later."
    return str(refusal.detail)


@member_page
@require_GET
def token(request: HttpRequest, pk: UUID) -> HttpResponse:
    found = own_or_404(request, pk)
    policy = policy_of(found.org_id)
    clients = configurations(mcp_url(request))
    context = {
        "row": under(policy, row_of(found)),
        "policy": policy,
        "used": used_today(policy, found.pk),
        "chart": chart_of(found),
        "clients": clients,
        "data": [client.as_dict() for client in clients],
        "downloads": downloads(mcp_url(request)),
    }
    return page(request, "tokens/token", context)


@member_page
@require_GET
def connection(request: HttpRequest, pk: UUID) -> JsonResponse:
    """For the connection check; the REST endpoint of the token says the same."""
    found = own_or_404(request, pk)
    names = ("status", "first_mcp_at", "last_used_at")
    refusal = refusal_of(found) or {"at": None, "why": ""}
    told = {"last_refused_at": refusal["at"], "last_refusal": refusal["why"]}
    return JsonResponse({name: getattr(found, name) for name in names} | told)


@member_page
def nowhere(request: HttpRequest) -> HttpResponse:
    """Any other address below the pages."""
    raise Http404


@sensitive_variables()
def told_once(request: HttpRequest, token: Token, secret: str) -> HttpResponse:
    """The page that shows a new secret."""
    clients = configurations(mcp_url(request), secret)
    context = {
        "row": row_of(token),
        "policy": policy_of(token.org_id),
        "secret": secret,
        "local": shlex.join(local_command()[1:]) if token_settings.local_package else "",
        "clients": clients,
        "data": [client.as_dict() for client in clients],
        "downloads": downloads(mcp_url(request)),
    }
    return page(request, "tokens/created", context)


def own_or_404(request: HttpRequest, pk: UUID) -> Token:
    """The person's own token. Raises `Http404`."""
    return found(owner_of(request), pk)
