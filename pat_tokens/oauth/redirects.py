"""Redirect URIs: which ones a client may have, and how an answer is put into one."""

from collections.abc import Iterable
from urllib.parse import urlencode, urlsplit, urlunsplit

from pat_tokens.conf import LOOPBACK, token_settings

MAX_LENGTH = 2000


def fault(uri: str) -> str | None:
    """What is wrong with a redirect URI, or None."""
    try:
        parts = urlsplit(uri)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "it is not a URL"
    if len(uri) > MAX_LENGTH or not uri.isascii() or not uri.isprintable() or " " in uri:
        return "it is too long, or has characters that a URL does not"
    if "#" in uri or "@" in parts.netloc:
        return "it has a fragment or a user name"
    if parts.scheme == "https":
        return None if host else "it names no host"
    if parts.scheme == "http":
        return None if host in LOOPBACK else "plain http is for the same computer only"
    if parts.scheme in token_settings.redirect_schemes:
        return None
    return f"its scheme is not one of https, http, {', '.join(token_settings.redirect_schemes)}"


def allows(registered: Iterable[str], uri: str) -> bool:
    """Whether a redirect is one of those registered: exactly, but for the port of a loopback.

    A native client listens on a port that it does not know beforehand (RFC 8252, section 7.3).
    """
    return any(uri == each or _is_same_loopback(each, uri) for each in registered)


def _is_same_loopback(registered: str, uri: str) -> bool:
    ours, theirs = urlsplit(registered), urlsplit(uri)
    named = [(each.scheme, each.hostname, each.path or "/", each.query) for each in (ours, theirs)]
    is_loopback_http = ours.scheme == "http" and ours.hostname in LOOPBACK
    return is_loopback_http and named[0] == named[1] and fault(uri) is None


def is_loopback(uri: str) -> bool:
    return urlsplit(uri).hostname in LOOPBACK


def place(uri: str) -> str:
    """Where a redirect leads to, for people."""
    parts = urlsplit(uri)
    if parts.scheme not in ("http", "https"):
        return f"the app {parts.scheme}"
    return "a program on this computer" if is_loopback(uri) else parts.netloc


def origin(uri: str) -> str:
    """As a Content-Security-Policy names it."""
    parts = urlsplit(uri)
    if parts.scheme in ("http", "https"):
        return f"{parts.scheme}://{parts.netloc}"
    return f"{parts.scheme}:"


def answer(uri: str, **parameters: str | None) -> str:
    """The redirect with the parameters of an answer added to its query."""
    parts = urlsplit(uri)
    added = urlencode({name: value for name, value in parameters.items() if value is not None})
    return urlunsplit(parts._replace(query="&".join(filter(None, (parts.query, added)))))
