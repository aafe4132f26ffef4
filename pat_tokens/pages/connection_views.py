"""The consent page, and how connections end, as pages."""

from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_GET, require_http_methods

from pat_tokens.host.owners import email_of, name_of
from pat_tokens.http.content_security import content_security_policy
from pat_tokens.lists.filters import PageForm, TokenFilter
from pat_tokens.models import AuthorizationRequest
from pat_tokens.oauth import redirects
from pat_tokens.oauth.connections import connection_page, end_by_id, find_connection
from pat_tokens.oauth.consent import (
    STAYS_CONFIRMED,
    NotAllowed,
    NotPending,
    approve,
    denial,
    deny,
)
from pat_tokens.oauth.forms import ConsentForm
from pat_tokens.oauth.requests import pending_request
from pat_tokens.pages.access import admin_page, member_page, owner_of
from pat_tokens.pages.forms import explained
from pat_tokens.pages.rendering import confirm, done, next_url, page, page_of, position_of
from pat_tokens.pages.rows import PAGE_ROWS, under
from pat_tokens.services import presets
from pat_tokens.services.policy import policy_of
from pat_tokens.services.revocation import BY_ADMIN

ENDS = "Its next request fails. To use it again, connect it again."
HOME, ORG_HOME = "pat_tokens_page:tokens", "pat_tokens_page:organisation"


class ClientRedirect(HttpResponseRedirect):
    """Back to the client, which may be an app with a scheme of its own; always as a GET."""

    status_code = 303

    def __init__(self, url: str) -> None:
        self.allowed_schemes = [urlsplit(url).scheme]
        super().__init__(url)


@member_page
@require_http_methods(["GET", "POST"])
@csrf_protect
@sensitive_variables()
def consent(request: HttpRequest) -> HttpResponse:
    """A person allows or denies what a client asks for; nothing is ever allowed without asking."""
    owner = owner_of(request)
    asked = _pending(request.GET.get("request", ""))
    if asked is None:
        return page(request, "connect/over", {"text": str(NotPending())}, status=410)
    form = ConsentForm(
        request.POST if "allow" in request.POST else None,
        owner=owner,
        request=asked,
        policy=policy_of(owner.org_id),
    )
    try:
        if request.method == "POST" and "deny" in request.POST:
            return ClientRedirect(deny(asked.pk))
        if form.is_valid():
            chosen = form.cleaned_data
            return ClientRedirect(
                approve(
                    owner,
                    asked.pk,
                    scopes=chosen["scopes"],
                    days=chosen["days"],
                    replaces=chosen["replaces"],
                )
            )
    except NotPending as over:
        return page(request, "connect/over", {"text": str(over)}, status=410)
    except NotAllowed as refusal:
        form.add_error(None, str(refusal))
    return _ask(request, asked, form)


def _pending(pk: str) -> AuthorizationRequest | None:
    try:
        return pending_request(UUID(pk))
    except ValueError:
        return None


def _ask(request: HttpRequest, asked: AuthorizationRequest, form: ConsentForm) -> HttpResponse:
    owner = owner_of(request)
    reason = denial(owner, asked)
    response = page(
        request,
        "connect/consent",
        {
            "asked": asked,
            "form": form,
            "access_choices": explained(form["access"], presets.EXPLAINED, {}),
            "reason": reason,
            "access": presets.summary(asked.scopes),
            "stays_confirmed": STAYS_CONFIRMED,
            "place": redirects.place(asked.redirect_uri),
            "is_loopback": redirects.is_loopback(asked.redirect_uri),
            "person": name_of(owner),
            "email": email_of(owner),
        },
        status=403 if reason else 400 if form.errors else 200,
    )
    # Browsers hold the answer's redirect to this too.
    response["Content-Security-Policy"] = content_security_policy(
        redirects.origin(asked.redirect_uri)
    )
    return response


@member_page
@require_GET
def connections(request: HttpRequest) -> HttpResponse:
    form = PageForm(request.GET)
    if not form.is_valid():
        raise Http404
    owner = owner_of(request)
    return _listed(request, False, owner.org_id, person=owner.pk, **position_of(form))


@admin_page
@require_GET
def connections_of_organisation(request: HttpRequest) -> HttpResponse:
    admin = owner_of(request)
    form = TokenFilter(request.GET, org=admin.org)
    if not form.is_valid():
        raise Http404
    return _listed(request, True, admin.org_id, **form.wanted, **position_of(form))


def _listed(request: HttpRequest, with_person: bool, org_id: Any, **wanted: Any) -> HttpResponse:
    policy = policy_of(org_id)
    shown = page_of(connection_page, org_id, **wanted)
    context = {
        "connections": [under(policy, PAGE_ROWS[kind](row)) for kind, row in shown.lines],
        "with_person": with_person,
        "cursor": wanted["cursor"],
        "next": next_url(request, shown),
    }
    return page(request, "connect/connections", context)


@member_page
@require_http_methods(["GET", "POST"])
def end(request: HttpRequest, pk: UUID) -> HttpResponse:
    owner = owner_of(request)
    if request.method == "POST":
        if not end_by_id(pk, by=owner, person=owner.pk):
            raise Http404
        return done(HOME, "disconnected")
    found = find_connection(owner.org_id, pk, person=owner.pk)
    if found is None:
        raise Http404
    return confirm(request, "Disconnect", found.client_name, ENDS)


@admin_page
@require_http_methods(["GET", "POST"])
def end_in_organisation(request: HttpRequest, pk: UUID) -> HttpResponse:
    admin = owner_of(request)
    if request.method == "POST":
        if not end_by_id(pk, by=admin, detail=BY_ADMIN):
            raise Http404
        return done(ORG_HOME, "disconnected")
    found = find_connection(admin.org_id, pk)
    if found is None:
        raise Http404
    text = f"{name_of(found.owner)} connected it. {ENDS}"
    return confirm(request, "Disconnect", found.client_name, text, ORG_HOME)
