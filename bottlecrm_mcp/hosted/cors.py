"""Host check and CORS: by which Host the endpoint is called, and from the pages of which Origin."""

from __future__ import annotations

import re
from typing import Any

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIRequest

from bottlecrm_mcp.hosted.errors import Headers, HttpError, ascii_headers

ALLOWED_REQUEST_HEADERS = (
    "authorization, content-type, accept, mcp-protocol-version, mcp-method, mcp-name, "
    "mcp-session-id, last-event-id, x-request-id"
)
EXPOSED_HEADERS = "WWW-Authenticate, Retry-After, X-Request-ID, Mcp-Session-Id"
NO_HOST = "This Host is not served here: Django's ALLOWED_HOSTS does not name it."


def host_of(request: ASGIRequest) -> str:
    """Raises `HttpError` with 400 for one that ALLOWED_HOSTS does not name."""
    try:
        return request.get_host()
    except DisallowedHost as problem:
        raise HttpError(400, NO_HOST) from problem


def cors_headers(request: ASGIRequest, host: str) -> Headers:
    """The CORS headers of the answer. Raises `HttpError` for an origin that is not allowed."""
    origin = request.META.get("HTTP_ORIGIN")
    if origin is None:
        return []
    is_own = origin == f"{request.scheme}://{host}"
    # A browser sends a name in ASCII, and so it is sent back.
    if not origin.isascii() or not (is_own or _is_cors_origin(origin)):
        raise HttpError(403, "This Origin is not allowed.")
    return ascii_headers(
        [
            ("Access-Control-Allow-Origin", origin),
            ("Access-Control-Expose-Headers", EXPOSED_HEADERS),
            ("Vary", "Origin"),
        ]
    )


def _is_cors_origin(origin: str) -> bool:
    """The settings of django-cors-headers, which BottleCRM's web app is allowed by."""
    if _cors_setting("CORS_ALLOW_ALL_ORIGINS", "CORS_ORIGIN_ALLOW_ALL"):
        return True
    if origin in _cors_setting("CORS_ALLOWED_ORIGINS", "CORS_ORIGIN_WHITELIST"):
        return True
    patterns = _cors_setting("CORS_ALLOWED_ORIGIN_REGEXES", "CORS_ORIGIN_REGEX_WHITELIST")
    return any(re.fullmatch(pattern, origin) for pattern in patterns)


def _cors_setting(name: str, former_name: str) -> Any:
    # BottleCRM sets one by its former name, which django-cors-headers still reads.
    return getattr(settings, name, getattr(settings, former_name, ()))


def preflight_headers() -> Headers:
    return ascii_headers(
        [
            ("Access-Control-Allow-Methods", "POST, OPTIONS"),
            ("Access-Control-Allow-Headers", ALLOWED_REQUEST_HEADERS),
            ("Access-Control-Max-Age", "3600"),
        ]
    )
