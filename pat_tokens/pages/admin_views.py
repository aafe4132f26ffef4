"""Page views for administrators: the organisation's tokens, its policy and its events."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_GET, require_http_methods

from pat_tokens.api.admin_views import TOO_MANY_ENTRIES, csv_file
from pat_tokens.host.owners import member_id, member_of, name_of
from pat_tokens.lists.filters import EventFilter, TokenFilter
from pat_tokens.pages.access import admin_page, owner_of
from pat_tokens.pages.forms import PolicyForm
from pat_tokens.pages.views import (
    PAGE_ROWS,
    confirm,
    done,
    filters_in,
    first_connections,
    next_url,
    page,
    page_of,
)
from pat_tokens.services.event_log import (
    MOST_ENTRIES,
    TooManyEntries,
    count_events,
    event_page,
    events_as_csv,
)
from pat_tokens.services.org_tokens import org_page, totals
from pat_tokens.services.policy import change_policy, policy_of
from pat_tokens.services.revocation import BY_ADMIN, find, revoke_by_id, revoke_every

HOME = "pat_tokens_page:organisation"
REVOKE_ALL = "Revoke all tokens and connections of"


@admin_page
@require_GET
def organisation(request: HttpRequest) -> HttpResponse:
    admin = owner_of(request)
    form = TokenFilter(request.GET, org=admin.org)
    cursor = request.GET.get("cursor", "")
    context: dict[str, Any] = {"form": form, "totals": totals(admin.org_id), "cursor": cursor}
    if not form.is_valid():
        return page(request, "organisation", context, status=400)
    shown = page_of(org_page, admin.org_id, **form.wanted, **form.position)
    rows = [{**PAGE_ROWS[kind](row), "person": row.profile} for kind, row in shown.lines]
    context |= {"rows": rows, "next": next_url(request, shown)}
    if not cursor:
        context |= first_connections(admin.org_id, **form.wanted)
        context["filters"] = filters_in(request).urlencode()
    return page(request, "organisation", context)


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
    text = (
        f"It belongs to {name_of(found.profile)}, whose next request with it fails. This is final."
    )
    return confirm(request, "Revoke", found.name, text, HOME)


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
    text = "Every live token and connection of this person ends at once. This is final."
    return confirm(request, REVOKE_ALL, name_of(person), text, HOME)


@admin_page
@require_http_methods(["GET", "POST"])
def revoke_all(request: HttpRequest) -> HttpResponse:
    admin = owner_of(request)
    if request.method == "POST":
        revoke_every(admin)
        return done(HOME, "revoked-all")
    live = totals(admin.org_id)
    text = (
        f"Every live token ({live['live']} in all) and connection ({live['connections']}) of every "
        "member ends at once, yours too. This is final."
    )
    return confirm(request, REVOKE_ALL, str(admin.org), text, HOME)


@admin_page
@require_http_methods(["GET", "POST"])
def policy(request: HttpRequest) -> HttpResponse:
    admin = owner_of(request)
    form = PolicyForm(request.POST or None, instance=policy_of(admin.org_id))
    if request.method == "POST" and form.is_valid():
        change_policy(admin, **form.values)
        return done("pat_tokens_page:policy", "policy")
    status = 400 if form.errors else 200
    return page(request, "policy", {"form": form, "policy": form.instance}, status=status)


@admin_page
@require_GET
def events(request: HttpRequest) -> HttpResponse:
    admin = owner_of(request)
    form = EventFilter(request.GET, org=admin.org)
    context: dict[str, Any] = {"form": form, "cursor": request.GET.get("cursor")}
    if not form.is_valid():
        return page(request, "events", context, status=400)
    shown = page_of(event_page, admin.org_id, form.wanted, **form.position)
    context |= {
        "events": [row for _, row in shown.lines],
        "next": next_url(request, shown),
        "count": count_events(admin.org_id, form.wanted),
        "most": MOST_ENTRIES,
        "export_query": filters_in(request).urlencode(),
    }
    return page(request, "events", context)


@admin_page
@require_GET
def events_csv(request: HttpRequest) -> HttpResponse:
    admin = owner_of(request)
    form = EventFilter(request.GET, org=admin.org)
    if form.is_valid():
        try:
            return csv_file(events_as_csv(admin.org_id, form.wanted))
        except TooManyEntries:
            form.add_error("from", TOO_MANY_ENTRIES)
    return page(request, "events", {"form": form}, status=400)
