"""Access to the pages, and the headers that every page gets."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase
from django.views.decorators.csrf import csrf_protect

from pat_tokens.api.permissions import ADMINS_ONLY, SIGN_IN
from pat_tokens.conf import token_settings
from pat_tokens.http.content_security import content_security_policy
from pat_tokens.pages.rendering import problem
from pat_tokens.scopes import CREDENTIAL_DENIAL
from pat_tokens.secret import made_with_credential
from pat_tokens.sign_in.destinations import ANONYMOUS

NOT_HERE = "There is nothing at this address: it may be another person's, or a part is missing."

View = Callable[..., HttpResponseBase]


def secured(view: View) -> View:
    """Nothing but our own files is loaded or run, and nothing is kept."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        response.setdefault("Content-Security-Policy", content_security_policy())
        response["Cache-Control"] = "no-store"
        # Not "no-referrer": with it browsers send no Origin, and Django's CSRF check fails.
        response["Referrer-Policy"] = "same-origin"
        return response

    return answer


def anonymous_page(view: View) -> View:
    """For the sign-in: the middleware calls it, before the host asks for an organisation."""

    @secured
    @csrf_protect
    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if made_with_credential(request):
            raise PermissionDenied(CREDENTIAL_DENIAL)
        return view(request, *args, **kwargs)

    setattr(answer, ANONYMOUS, True)
    return answer


def member_page(view: View) -> View:
    """For a person of an organisation, signed in; the middleware sends others to sign in."""

    @secured
    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if made_with_credential(request):
            raise PermissionDenied(CREDENTIAL_DENIAL)
        if not getattr(request, "is_signed_in", False):
            raise PermissionDenied(SIGN_IN)
        try:
            return view(request, *args, **kwargs)
        except Http404:
            return problem(request, "Not found", NOT_HERE, 404)

    return answer


def admin_page(view: View) -> View:
    """A page for administrators: others get 403 with a way back."""

    @member_page
    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        owner = owner_of(request)
        if not token_settings.is_admin(owner):
            # With the way back: a person may be an administrator of one organisation only.
            return problem(request, "For administrators", ADMINS_ONLY, 403)
        return view(request, *args, **kwargs)

    return answer


def owner_of(request: HttpRequest) -> Any:
    """The person who is signed in, in one organisation; None for anybody else."""
    return getattr(request, "profile", None)
