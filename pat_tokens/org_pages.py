"""What an organisation's administrators oversee, as pages."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_GET, require_http_methods

from pat_tokens.forms import PolicyForm
from pat_tokens.host import host_tokens_of
from pat_tokens.oauth.connections import org_connections
from pat_tokens.oversight import events_of, member_id, org_tokens, revoke_every, revoke_one, totals
from pat_tokens.page_access import admin_page, owner_of
from pat_tokens.pages import confirm, connection_rows, done, host_row_of, page, row_of
from pat_tokens.people import name_of
from pat_tokens.policy import change_policy, policy_of

HOME = "pat_tokens_page:organisation"


@admin_page
@require_GET
def organisation(request: HttpRequest) -> HttpResponse:
    org_id = owner_of(request).org_id
    tokens, host_tokens = org_tokens(org_id), host_tokens_of(org_id)
    rows = [{**row_of(token), "person": token.owner} for token in tokens]
    rows += [{**host_row_of(row), "person": row.profile} for row in host_tokens]
    return page(
        request,
        "organisation",
        {
            "rows": rows,
            "connections": connection_rows(org_connections(org_id)),
            "totals": totals(tokens, host_tokens),
        },
    )


@admin_page
@require_http_methods(["GET", "POST"])
def revoke(request: HttpRequest, pk: UUID) -> HttpResponse:
    admin = owner_of(request)
    if request.method == "POST":
        if not revoke_one(admin, pk):
            raise Http404
        return done(HOME, "revoked")
    found = [(token.name, token.owner) for token in org_tokens(admin.org_id, pk=pk)]
    found += [(row.name, row.profile) for row in host_tokens_of(admin.org_id, pk=pk)]
    if not found:
        raise Http404
    name, person = found[0]
    text = f"It belongs to {name_of(person)}, whose next request with it fails. This is final."
    return confirm(request, "Revoke", name, text, HOME)


@admin_page
@require_http_methods(["GET", "POST"])
def revoke_person(request: HttpRequest, member: str) -> HttpResponse:
    admin = owner_of(request)
    if (owner_id := member_id(member)) is None:
        raise Http404
    tokens = org_tokens(admin.org_id, owner_id=owner_id)
    people = [token.owner for token in tokens]
    people += [row.profile for row in host_tokens_of(admin.org_id, profile_id=owner_id)]
    people += [each.owner for each in org_connections(admin.org_id, owner_id=owner_id)]
    if not people:
        raise Http404
    if request.method == "POST":
        revoke_every(admin, owner_id)
        return done(HOME, "revoked-all")
    text = "Every live token and connection of this person ends at once. This is final."
    return confirm(request, "Revoke all tokens of", name_of(people[0]), text, HOME)


@admin_page
@require_http_methods(["GET", "POST"])
def revoke_all(request: HttpRequest) -> HttpResponse:
    admin = owner_of(request)
    if request.method == "POST":
        revoke_every(admin)
        return done(HOME, "revoked-all")
    text = "Every live token and connection of every member ends at once. This is final."
    return confirm(request, "Revoke all tokens of", str(admin.org), text, HOME)


@admin_page
@require_http_methods(["GET", "POST"])
def policy(request: HttpRequest) -> HttpResponse:
    admin = owner_of(request)
    form = PolicyForm(request.POST or None, instance=policy_of(admin.org_id))
    if request.method == "POST" and form.is_valid():
        change_policy(admin, **form.cleaned_data)
        return done("pat_tokens_page:policy", "policy")
    status = 400 if form.errors else 200
    return page(request, "policy", {"form": form, "policy": form.instance}, status=status)


@admin_page
@require_GET
def events(request: HttpRequest) -> HttpResponse:
    return page(request, "events", {"events": events_of(owner_of(request).org_id)})
