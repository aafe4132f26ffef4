"""Page views of the call log: a member's own calls, and those of the organisation."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.views.decorators.http import require_GET

from pat_tokens.api.streaming import csv_stream
from pat_tokens.lists.call_filter import CallFilter, OwnCallFilter
from pat_tokens.lists.moments import zone_of
from pat_tokens.pages.access import admin_page, member_page, owner_of
from pat_tokens.pages.calls_chart import chart_of_days
from pat_tokens.pages.event_words import why
from pat_tokens.pages.rendering import filters_in, next_url, page, page_of, position_of
from pat_tokens.services.calls import call_page, calls_as_csv, calls_by_day

TEMPLATE = "calls"


@member_page
@require_GET
def own_calls(request: HttpRequest) -> HttpResponse:
    owner = owner_of(request)
    return _shown(request, OwnCallFilter(request.GET, owner=owner), "calls")


@admin_page
@require_GET
def org_calls(request: HttpRequest) -> HttpResponse:
    return _shown(request, CallFilter(request.GET, org=owner_of(request).org), "org-calls")


@member_page
@require_GET
def own_calls_csv(request: HttpRequest) -> HttpResponseBase:
    owner = owner_of(request)
    return _exported(request, OwnCallFilter(request.GET, owner=owner), "calls")


@admin_page
@require_GET
def org_calls_csv(request: HttpRequest) -> HttpResponseBase:
    return _exported(request, CallFilter(request.GET, org=owner_of(request).org), "org-calls")


def _shown(request: HttpRequest, form: CallFilter, name: str) -> HttpResponse:
    context = _context(request, form, name)
    if not form.is_valid():
        return page(request, TEMPLATE, context, status=400)
    shown = page_of(call_page, form.org.pk, form.wanted, **position_of(form))
    context |= {
        "calls": [(call, why(call.code)) for _, call in shown.lines],
        "next": next_url(request, shown),
        "filters": filters_in(request).urlencode(),
    }
    if not context["cursor"]:
        days, is_complete = calls_by_day(form.org.pk, form.wanted, zone_of(form.org))
        context["chart"] = chart_of_days(days, is_complete)
    return page(request, TEMPLATE, context)


def _exported(request: HttpRequest, form: CallFilter, name: str) -> HttpResponseBase:
    if form.is_valid():
        return csv_stream(request, "calls", calls_as_csv(form.org.pk, form.wanted))
    return page(request, TEMPLATE, _context(request, form, name), status=400)


def _context(request: HttpRequest, form: CallFilter, name: str) -> dict[str, Any]:
    return {
        "form": form,
        "cursor": request.GET.get("cursor", ""),
        "is_own": name == "calls",
        "home": reverse(f"pat_tokens_page:{name}"),
        "csv": reverse(f"pat_tokens_page:{name}-csv"),
    }
