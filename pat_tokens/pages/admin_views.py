"""Page views for administrators: the organisation's tokens, its policy and its events."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_GET, require_http_methods

from pat_tokens.api.admin_views import TOO_MANY_ENTRIES, csv_file
from pat_tokens.host.owners import member_id, member_of, name_of
from pat_tokens.lists.filters import EventFilter, TokenFilter, choice
from pat_tokens.pages.access import admin_page, owner_of
from pat_tokens.pages.chart import chart_of
from pat_tokens.pages.event_words import SAID, said_of
from pat_tokens.pages.forms import PolicyForm, RevokeAllForm, StopForm
from pat_tokens.pages.policy_words import choices_of
from pat_tokens.pages.rendering import (
    confirm,
    done,
    filters_in,
    next_url,
    page,
    page_of,
    position_of,
)
from pat_tokens.pages.rows import PAGE_ROWS, first_connections, row_of, under
from pat_tokens.services.daily_limits import used_today
from pat_tokens.services.event_log import (
    MOST_ENTRIES,
    TooManyEntries,
    count_events,
    event_page,
    events_as_csv,
)
from pat_tokens.services.org_tokens import org_page, org_token, totals
from pat_tokens.services.policy import change_policy, policy_of
from pat_tokens.services.revocation import BY_ADMIN, find, names_of, revoke_by_id, revoke_every
from pat_tokens.services.stop import allow_agents, stop_agents

HOME = "pat_tokens_page:organisation"
POLICY = "pat_tokens_page:policy"
REVOKE_ALL = "Revoke all tokens and connections of"


@admin_page
@require_GET
def organisation(request: HttpRequest) -> HttpResponse:
    admin = owner_of(request)
    form = TokenFilter(request.GET, org=admin.org)
    cursor = request.GET.get("cursor", "")
    policy = policy_of(admin.org_id)
    context: dict[str, Any] = {
        "form": form,
        "policy": policy,
        "totals": totals(admin.org_id),
        "cursor": cursor,
    }
    if not form.is_valid():
        return page(request, "organisation/list", context, status=400)
    shown = page_of(org_page, admin.org_id, **form.wanted, **position_of(form))
    context |= {
        "rows": [
            {**under(policy, PAGE_ROWS[kind](row)), "person": row.profile}
            for kind, row in shown.lines
        ],
        "next": next_url(request, shown),
        "person": member_of(admin.org_id, form.wanted["person"]),
        "filters": filters_in(request).urlencode(),
    }
    if not cursor:
        context |= first_connections(policy, admin.org_id, **form.wanted)
    return page(request, "organisation/list", context)


@admin_page
@require_GET
def token(request: HttpRequest, pk: UUID) -> HttpResponse:
    admin = owner_of(request)
    found = org_token(admin.org_id, pk)
    if found is None:
        raise Http404
    policy = policy_of(admin.org_id)
    context = {
        "row": under(policy, row_of(found)),
        "policy": policy,
        "used": used_today(policy, found.pk),
        "chart": chart_of(found),
    }
    return page(request, "organisation/token", context)


@admin_page
@require_http_methods(["GET", "POST"])
def revoke(request: HttpRequest, pk: UUID) -> HttpResponse:
    admin = owner_of(request)
    if request.method == "POST":
        if not revoke_by_id(pk, by=admin, detail=BY_ADMIN):
            raise Http404
        return done(HOME, "revoked")
    found = find(admin.org_id, pk)
    if found is None:
        raise Http404
    name, prefix = names_of(found)
    text = (
        f"It belongs to {name_of(found.profile)}, whose next request with it fails. This is final."
    )
    return confirm(request, "Revoke", name, text, HOME, detail=f"{prefix}…")


@admin_page
@require_http_methods(["GET", "POST"])
def revoke_person(request: HttpRequest, member: str) -> HttpResponse:
    admin = owner_of(request)
    person = member_of(admin.org_id, member_id(member))
    if person is None:
        raise Http404
    if request.method == "POST":
        revoke_every(admin, person.pk)
        return done(HOME, "revoked-all")
    text = (
        f"{_in_numbers(totals(admin.org_id, person.pk))} of this person end at once. This is final."
    )
    return confirm(request, REVOKE_ALL, name_of(person), text, HOME)


@admin_page
@require_http_methods(["GET", "POST"])
def revoke_all(request: HttpRequest) -> HttpResponse:
    admin = owner_of(request)
    form = RevokeAllForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        revoke_every(admin)
        return done(HOME, "revoked-all")
    numbers = _in_numbers(totals(admin.org_id))
    text = f"{numbers} of all members end at once, yours too. This is final."
    status = 400 if form.errors else 200
    return confirm(request, REVOKE_ALL, str(admin.org), text, HOME, status, form=form)


def _in_numbers(live: dict[str, int]) -> str:
    tokens, clients = live["live"], live["connections"]
    return (
        f"{tokens} live token{'' if tokens == 1 else 's'} and "
        f"{clients} connected client{'' if clients == 1 else 's'}"
    )


@admin_page
@require_http_methods(["GET", "POST"])
def policy(request: HttpRequest) -> HttpResponse:
    admin = owner_of(request)
    form = PolicyForm(request.POST or None, instance=policy_of(admin.org_id))
    if request.method == "POST" and form.is_valid():
        change_policy(admin, **form.values)
        return done(POLICY, "policy")
    # Validation has written into the form's own.
    policy = policy_of(admin.org_id) if form.is_bound else form.instance
    context = {"form": form, "policy": policy, "effects": choices_of(form, policy)}
    return page(request, "organisation/policy", context, status=400 if form.errors else 200)


@admin_page
@require_http_methods(["GET", "POST"])
def stop(request: HttpRequest) -> HttpResponse:
    admin = owner_of(request)
    form = StopForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        stop_agents(admin, form.cleaned_data["reason"])
        return done(POLICY, "stopped")
    text = (
        f"{_in_numbers(totals(admin.org_id))} of all members do nothing more from their next "
        "request on, yours too. You can allow them again at any time."
    )
    status = 400 if form.errors else 200
    return confirm(request, "Stop all agents of", str(admin.org), text, POLICY, status, form=form)


@admin_page
@require_http_methods(["GET", "POST"])
def allow(request: HttpRequest) -> HttpResponse:
    admin = owner_of(request)
    if request.method == "POST":
        allow_agents(admin)
        return done(POLICY, "allowed")
    text = "Tokens and connected clients do again what the policy says."
    return confirm(request, "Allow agents of", str(admin.org), text, POLICY)


@admin_page
@require_GET
def events(request: HttpRequest) -> HttpResponse:
    admin = owner_of(request)
    form = _event_filter(request)
    context: dict[str, Any] = {"form": form, "cursor": request.GET.get("cursor")}
    if not form.is_valid():
        return page(request, "organisation/events", context, status=400)
    shown = page_of(event_page, admin.org_id, form.wanted, **position_of(form))
    for _, row in shown.lines:
        row.said = said_of(row)
    form.name_token()
    context |= {
        "events": [row for _, row in shown.lines],
        "next": next_url(request, shown),
        "count": count_events(admin.org_id, form.wanted),
        "most": MOST_ENTRIES,
        "filters": filters_in(request).urlencode(),
    }
    return page(request, "organisation/events", context)


@admin_page
@require_GET
def events_csv(request: HttpRequest) -> HttpResponse:
    admin = owner_of(request)
    form = _event_filter(request)
    if form.is_valid():
        try:
            return csv_file(events_as_csv(admin.org_id, form.wanted))
        except TooManyEntries:
            form.add_error("from", TOO_MANY_ENTRIES)
    return page(request, "organisation/events", {"form": form}, status=400)


def _event_filter(request: HttpRequest) -> EventFilter:
    form = EventFilter(request.GET, org=owner_of(request).org)
    form.fields["kind"] = choice("What", [("", "Any"), *SAID.items()])
    return form
