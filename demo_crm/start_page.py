"""Start page of the demo: its people, a console for the tools, and the clients' configurations.

Whoever reaches it may sign in as anybody: it is served by the command `demo` only, on this machine.
"""

from typing import Any

from django.conf import settings
from django.contrib.auth import login
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from demo_crm.access.row_security import org_context
from demo_crm.models import Case, Invoice, Lead, Opportunity, Profile
from pat_tokens.pages.access import secured
from pat_tokens.services.client_configs import PLACEHOLDER, configurations

Person = dict[str, Any]

# What the lists leave out, and so the tools: converted leads, and merged or deleted cases.
LISTED_CASES = Q(merged_into=None, is_active=True) & ~Q(status="Duplicate")
COUNTED: dict[str, tuple[Any, Q]] = {
    "leads": (Lead, ~Q(status="converted")),
    "opportunities": (Opportunity, Q()),
    "cases": (Case, LISTED_CASES),
    "invoices": (Invoice, Q()),
}
QUESTIONS: list[dict[str, Any]] = [
    {
        "ask": "What is on my desk today?",
        "tool": "crm_search",
        "arguments": {"entity": "my_day"},
    },
    {
        "ask": "What is our open pipeline worth, by stage?",
        "tool": "crm_summarize",
        "arguments": {
            "entity": "opportunities",
            "group_by": ["stage"],
            "measures": ["count", "sum:amount"],
            "filters": {"is_open": True},
        },
    },
    {
        "ask": "Which hot leads are still open?",
        "tool": "crm_search",
        "arguments": {"entity": "leads", "filters": {"rating": "HOT", "is_open": True}},
    },
    {
        "ask": "Which invoices are overdue?",
        "tool": "crm_search",
        "arguments": {"entity": "invoices", "filters": {"due_date": "overdue"}},
    },
    {
        "ask": "Close the case “Wrong part delivered”.",
        "tool": "crm_action",
        "arguments": {
            "entity": "cases",
            "id": "Wrong part delivered",
            "action": "close",
            "params": {"closed_on": "today"},
        },
    },
]


@secured
def start(request: HttpRequest) -> HttpResponse:
    if not request.user.is_authenticated:
        # The page is somebody's from the start, and so are the links on it.
        login(request, _profile(settings.DEMO_PEOPLE[0]["email"]).user)
    email = getattr(request.user, "email", None)
    people = [described(each, email) for each in settings.DEMO_PEOPLE]
    person = next((each for each in people if each["is_signed_in"]), people[0])
    mcp_url = request.build_absolute_uri("/mcp")
    clients = [each.as_dict() for each in configurations(mcp_url, person["token"])]
    context = {
        "people": people,
        "person": person,
        "mcp_url": mcp_url,
        "clients": clients,
        "connect": {"clients": clients, "placeholder": PLACEHOLDER},
        "console": {"token": person["token"], "questions": QUESTIONS},
        "questions": QUESTIONS,
    }
    return render(request, "demo_crm/start.html", context)


@secured
@require_POST
def become(request: HttpRequest) -> HttpResponse:
    """Sign this browser in as one of the people. Raises `Http404` for anybody else."""
    email = request.POST.get("email", "")
    if email not in {each["email"] for each in settings.DEMO_PEOPLE}:
        raise Http404
    login(request, _profile(email).user)
    after = request.POST.get("next", "")
    is_own = url_has_allowed_host_and_scheme(after, {request.get_host()})
    return HttpResponseRedirect(after if is_own else "/#try")


def described(person: dict[str, str], signed_in: str | None) -> Person:
    profile = _profile(person["email"])
    first_name = person["name"].split()[0]
    sees = "Everything in the organisation"
    if not profile.is_admin:
        sees = f"What {first_name} created or is assigned to"
    return {
        **person,
        "first_name": first_name,
        "sees": sees,
        "counts": counts(profile),
        "is_signed_in": person["email"] == signed_in,
    }


def _profile(email: str) -> Profile:
    return Profile.objects.select_related("user", "org").get(user__email=email)


def counts(profile: Profile) -> dict[str, int]:
    """How many records of each kind this person finds in the lists."""
    own = Q(created_by=profile.user) | Q(assigned_to=profile)
    seen = Q() if profile.is_admin else own
    with org_context(profile.org):
        return {
            name: model.objects.filter(seen, listed).distinct().count()
            for name, (model, listed) in COUNTED.items()
        }


urlpatterns = [
    path("", start, name="start"),
    path("become/", become, name="become"),
]
