"""Page views that change a person's own token."""

from datetime import timedelta
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST
from rest_framework.exceptions import APIException

from pat_tokens.pages.access import member_page, owner_of
from pat_tokens.pages.forms import EditForm, RotateForm
from pat_tokens.pages.rendering import confirm, done, page, problem
from pat_tokens.pages.views import in_words, own_or_404, told_once
from pat_tokens.services import own_changes
from pat_tokens.services.issue import rotate_token
from pat_tokens.services.own_tokens import own_names, revoke_own


@member_page
@require_http_methods(["GET", "POST"])
@sensitive_variables()
def rotate(request: HttpRequest, pk: UUID) -> HttpResponse:
    found = own_or_404(request, pk)
    back, beginning = path_of(pk), f"{found.prefix}…"
    form = RotateForm(request.POST if "overlap" in request.POST else None)
    if request.method == "POST" and (not form.is_bound or form.is_valid()):
        overlap = timedelta(hours=int(form.cleaned_data["overlap"] if form.is_bound else 24))
        try:
            return told_once(request, found, rotate_token(found, overlap))
        except APIException as refusal:
            why = in_words(refusal)
            return confirm(request, "Rotate", found.name, why, back, 409, detail=beginning)
    text = (
        "You get a new secret, and its lifetime begins anew. The old secret goes on for as long as "
        "you choose, so that you can change over; rotating again ends it at once."
    )
    status = 400 if form.errors else 200
    return confirm(request, "Rotate", found.name, text, back, status, detail=beginning, form=form)


@member_page
@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, pk: UUID) -> HttpResponse:
    found = own_or_404(request, pk)
    form = EditForm(request.POST or None, initial={"name": found.name, "note": found.note})
    if request.method == "POST" and form.is_valid():
        own_changes.edit(found, **form.cleaned_data)
        return done(path_of(pk), "edited")
    # The form may hold another name by now; the page is of the one that is stored.
    context = {"form": form, "what": found}
    return page(request, "tokens/edit", context, status=400 if form.errors else 200)


@member_page
@require_POST
def pause(request: HttpRequest, pk: UUID) -> HttpResponse:
    """With `pause` it pauses, without it resumes; both can be taken back, so nothing is asked."""
    found = own_or_404(request, pk)
    pauses = "pause" in request.POST
    try:
        (own_changes.pause if pauses else own_changes.resume)(found)
    except own_changes.NotLive as refusal:
        return problem(request, "The token has ended", in_words(refusal), 409)
    return done(path_of(pk), "paused" if pauses else "resumed")


@member_page
@require_http_methods(["GET", "POST"])
def revoke(request: HttpRequest, pk: UUID) -> HttpResponse:
    owner = owner_of(request)
    if request.method == "POST":
        if not revoke_own(owner, pk):
            raise Http404
        return done("pat_tokens_page:tokens", "revoked")
    if (names := own_names(owner, pk)) is None:
        raise Http404
    name, prefix = names
    text = "The next request with it fails. This can't be undone; you can create a new token."
    return confirm(request, "Revoke", name, text, detail=f"{prefix}…")


def path_of(pk: UUID) -> str:
    return reverse("pat_tokens_page:token", args=[pk])
