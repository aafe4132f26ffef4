"""Rendering of the pages: what all of them are given, paging, and the question before a change."""

from collections.abc import Callable
from typing import Any

from django.forms import BaseForm
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse

from pat_tokens.conf import token_settings
from pat_tokens.lists.filters import PageForm
from pat_tokens.lists.paging import BadCursor, Page

# Rows of a page; what REST gives at once would be a yard of cards on a phone.
ROWS = 25
DONE = {
    "revoked": "The token was revoked. What used it gets no more answers.",
    "edited": "Saved.",
    "paused": "The token is paused. What used it gets no more answers until you resume it.",
    "resumed": "The token works again.",
    "policy": "The policy was saved. It is in force now.",
    "stopped": "All tokens and connected clients are stopped.",
    "allowed": "Tokens and connected clients work again, as the policy says.",
    "revoked-all": "The tokens were revoked.",
    "disconnected": "The client is disconnected. Its next request fails.",
}


def page(
    request: HttpRequest, name: str, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    """The template `name`, with what every page of a signed-in person shows."""
    owner = getattr(request, "profile", None)
    shared = {
        "owner": owner,
        "is_admin": token_settings.is_admin(owner),
        "crm_url": token_settings.home_url,
        "notice": DONE.get(request.GET.get("done", "")),
    }
    return render(request, f"pat_tokens/{name}.html", {**shared, **context}, status=status)


def problem(request: HttpRequest, title: str, text: str, status: int) -> HttpResponse:
    """What can't be shown, with a way back."""
    return page(request, "problem", {"title": title, "text": text}, status=status)


def confirm(
    request: HttpRequest,
    verb: str,
    what: str,
    text: str,
    back: str = "pat_tokens_page:tokens",
    status: int = 200,
    *,
    detail: str = "",
    form: BaseForm | None = None,
) -> HttpResponse:
    """The page that asks before `what` is done by POST.

    `back` is the name of a page or a path; `detail` tells more of what it is, such as how its
    token begins; `form` asks for more. A status over 200 without a form only tells why not.
    """
    context = {
        "verb": verb,
        "what": what,
        "text": text,
        "back": back if back.startswith("/") else reverse(back),
        "detail": detail,
        "form": form,
        "final": status > 200 and form is None,
    }
    return page(request, "confirm", context, status=status)


def done(where: str, what: str) -> HttpResponse:
    """A redirect to the page `where`, which shows the notice `what`, a key of `DONE`.

    `where` is the name of a page or a path.
    """
    path = where if where.startswith("/") else reverse(where)
    return redirect(f"{path}?done={what}")


def position_of(form: PageForm) -> dict[str, Any]:
    """Where the page begins, and how long it is."""
    return {**form.position, "limit": form.cleaned_data["limit"] or ROWS}


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
