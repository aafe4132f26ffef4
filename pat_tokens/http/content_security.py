"""Content-Security-Policy of the pages."""

from urllib.parse import urlsplit

from django.conf import settings


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
