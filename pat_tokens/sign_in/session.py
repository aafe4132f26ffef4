"""Session of the pages: Django's, under a cookie of its own that goes to the pages only.

It holds no `_auth_user_id`, so that its key is worth nothing in the host's own session cookie.
"""

from datetime import timedelta
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase, UpdateError
from django.core import signing
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

from pat_tokens.conf import token_settings
from pat_tokens.sign_in.destinations import home

COOKIE = "pat_tokens_session"
LIFETIME = timedelta(hours=12)
USER = "pat_tokens_user"


def load(request: HttpRequest) -> SessionBase:
    """The session of the cookie; an empty one where there is none."""
    engine = import_module(settings.SESSION_ENGINE)
    session: SessionBase = engine.SessionStore(request.COOKIES.get(COOKIE))
    return session


def begin(session: SessionBase, user_pk: str) -> None:
    """Sign this user in: under a new key, and for the lifetime whatever is done meanwhile."""
    session.flush()
    session.cycle_key()
    session[USER] = user_pk
    session.set_expiry(timezone.now() + LIFETIME)


def store(session: SessionBase, request: HttpRequest, response: HttpResponseBase) -> None:
    """Save what was changed, and let the browser know."""
    if session.is_empty():
        forget(response, COOKIE, request)
    elif session.modified:
        try:
            session.save()
        except UpdateError:
            # Signed out meanwhile, in another tab.
            forget(response, COOKIE, request)
        else:
            age = session.get_expiry_age()
            response.set_cookie(COOKIE, session.session_key or "", age, **_attributes(request))


def set_signed(response: HttpResponseBase, name: str, value: str, request: HttpRequest) -> None:
    """A cookie of the pages that its holder can't change. Lasts until the browser is closed."""
    response.set_cookie(name, signing.dumps(value, salt=name), **_attributes(request))


def signed(request: HttpRequest, name: str, max_age: timedelta) -> str:
    """The value of such a cookie; empty if it is missing, forged or too old."""
    try:
        value: str = signing.loads(request.COOKIES.get(name, ""), salt=name, max_age=max_age)
    except signing.BadSignature:
        return ""
    return value


def forget(response: HttpResponseBase, name: str, request: HttpRequest) -> None:
    if name in request.COOKIES:
        response.delete_cookie(name, path=home(), samesite="Lax")


def _attributes(request: HttpRequest) -> dict[str, Any]:
    # Behind a proxy that ends TLS the request may look insecure; the issuer knows better.
    secure = request.is_secure() or token_settings.issuer.startswith("https:")
    return {"path": home(), "secure": secure, "httponly": True, "samesite": "Lax"}
