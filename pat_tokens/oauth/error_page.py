"""Error page of the authorization endpoint, for the person who was sent there."""

from django.template.loader import render_to_string

from pat_tokens.http.content_security import content_security_policy


def error_page(text: str, error: str) -> tuple[str, dict[str, str]]:
    """The HTML and the headers; `text` is for the person, `error` a code of RFC 6749."""
    html = render_to_string("pat_tokens/connect/error.html", {"text": text, "error": error})
    return html, {
        "Cache-Control": "no-store",
        "Content-Security-Policy": content_security_policy(),
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
