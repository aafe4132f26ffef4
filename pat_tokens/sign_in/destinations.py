"""Where the pages are, and where a person goes on to after the sign-in."""

from functools import cache
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, Resolver404, get_script_prefix, resolve, reverse
from django.utils.http import url_has_allowed_host_and_scheme

PAGES = "pat_tokens_page"
NEXT = "next"
# An attribute of the views that nobody has to be signed in for.
ANONYMOUS = "is_anonymous_page"


def home() -> str:
    """The path under which all pages are; empty where the host does not include them."""
    return _home(settings.ROOT_URLCONF, get_script_prefix())


@cache
def _home(urlconf: str, script_prefix: str) -> str:
    try:
        return reverse(f"{PAGES}:tokens", urlconf)
    except NoReverseMatch:
        return ""


def is_page(request: HttpRequest) -> bool:
    root = home()
    return bool(root) and request.path.startswith(root)


def is_anonymous(view: Any) -> bool:
    return getattr(view, ANONYMOUS, False)


def destination(request: HttpRequest) -> str:
    """Where the request says to go on: a page of ours, else the list of tokens."""
    wanted = request.POST.get(NEXT) or request.GET.get(NEXT) or ""
    return wanted if _is_for_members(wanted) else home()


def with_next(page: str, where: str) -> str:
    """The URL of this page of the sign-in, which then goes on to `where`."""
    return f"{reverse(f'{PAGES}:{page}')}?{urlencode({NEXT: where})}"


def _is_for_members(url: str) -> bool:
    if not url_has_allowed_host_and_scheme(url, allowed_hosts=None):
        return False
    path = urlsplit(url).path
    if not path.startswith(home()):
        return False
    try:
        # No "..", which a browser would resolve to somewhere else.
        match = resolve("/" + path.removeprefix(get_script_prefix()))
    except Resolver404:
        return False
    return match.app_name == PAGES and not is_anonymous(match.func)
