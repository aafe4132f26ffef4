"""Access to the pages, and the headers that every page gets."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase

from pat_tokens.api.permissions import ADMINS_ONLY, SIGN_IN, made_with_credential
from pat_tokens.conf import token_settings
from pat_tokens.scopes import CREDENTIAL_DENIAL

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


def content_security_policy(form_target: str = "") -> str:
    """The header; a form may lead to `form_target` besides this site, also by a redirect."""
    own = " ".join(filter(None, ["'self'", _static_origin()]))
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {own}",
            f"style-src {own}",
            # The style sheet brings its few icons as data.
            f"img-src {own} data:",
            "connect-src 'self'",
            f"form-action 'self' {form_target}".strip(),
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


def _static_origin() -> str:
    parts = urlsplit(settings.STATIC_URL or "")
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme and parts.netloc else ""


def member_page(view: View) -> View:
    """For a person of an organisation, signed in; others are sent to sign in."""

    @secured
    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if made_with_credential(request):
            raise PermissionDenied(CREDENTIAL_DENIAL)
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        if owner_of(request) is None:
            raise PermissionDenied(SIGN_IN)
        return view(request, *args, **kwargs)

    return answer


def admin_page(view: View) -> View:
    @member_page
    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not token_settings.is_admin(owner_of(request)):
            raise PermissionDenied(ADMINS_ONLY)
        return view(request, *args, **kwargs)

    return answer


def owner_of(request: HttpRequest) -> Any:
    return getattr(request, "profile", None)
