"""The answer to a form that Django's CSRF check refuses, for the setting `CSRF_FAILURE_VIEW`."""

from django.http import HttpRequest, HttpResponse

from pat_tokens.pages.access import secured
from pat_tokens.pages.rendering import problem

TITLE = "The form was not sent"
TEXT = (
    "Nothing was changed. The page was open for too long, you signed in or out in another tab, or "
    "your browser keeps no cookies. Open the page anew, and send the form again."
)


@secured
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The page that says so; why exactly is in Django's log alone."""
    return problem(request, TITLE, TEXT, 403)
