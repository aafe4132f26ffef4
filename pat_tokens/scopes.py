"""Scopes: what a token may reach, in BottleCRM's grammar.

A scope is `<resource>:<read|write>`: the first path segment after `/api/`, or `*`. `write` does
not imply `read`. A token without scopes may do what its owner may; a token with scopes may do
nothing else, and nothing outside `/api/`.
"""

import re
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.urls import Resolver404, URLResolver, get_resolver, get_urlconf, resolve

ANY_RESOURCE = "*"
SCOPE = re.compile(r"(?P<resource>\*|[a-z0-9_-]+):(?P<action>read|write)")
READ_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
API_ROOT = "api/"

# BottleCRM's, beside wherever the host mounts `pat_tokens.urls`. No scope opens them: a token that
# could make a token would outlive its own revocation.
CREDENTIAL_PATHS = ("/api/profile/tokens/", "/api/org/tokens/", "/api/org/api-key/")
OUR_APPS = frozenset({"pat_tokens", "pat_tokens_page"})
CREDENTIAL_DENIAL = "Tokens and keys can't be managed with a token. Sign in to manage them."


def check(scopes: Sequence[str], method: str | None, path: str) -> str | None:
    """Why a token with these scopes may not do this, or None if it may.

    `path` is the request's `path_info`, which is what the URLconf matches.
    """
    if _manages_credentials(path):
        return CREDENTIAL_DENIAL
    if not scopes:
        return None
    resource = _resource(path)
    if resource is None:
        return "A token with scopes reaches nothing outside /api/."
    action = "read" if method in READ_METHODS else "write"
    granted = {_canonical(scope) for scope in scopes}
    if granted.isdisjoint({f"{resource}:{action}", f"{ANY_RESOURCE}:{action}"}):
        return f"This token lacks the scope {resource}:{action}."
    return None


def normalize(scope: str) -> str:
    """The canonical form of a scope that grants something here; ValueError for any other."""
    canonical = _canonical(scope)
    match = SCOPE.fullmatch(canonical)
    if match is None:
        raise ValueError(
            f'"{scope}" is not a scope: write <resource>:read or <resource>:write, '
            "for example leads:read or *:read."
        )
    resource = match["resource"]
    known = api_resources()
    if resource != ANY_RESOURCE and resource not in known:
        nearest = get_close_matches(resource, known, n=1) or sorted(known)
        raise ValueError(f'"{resource}" is not a resource here. Try {", ".join(nearest)}.')
    return canonical


def api_resources() -> set[str]:
    """The first path segments after /api/ in the live URLconf."""
    return set(_api_resources(get_resolver(), ""))


def _api_resources(resolver: URLResolver, prefix: str) -> Iterator[str]:
    for entry in resolver.url_patterns:
        route = prefix + str(entry.pattern).removeprefix("^")
        if match := re.match(rf"{API_ROOT}([\w-]+)(?=[/$]|$)", route):
            yield match[1]
        elif isinstance(entry, URLResolver) and API_ROOT.startswith(route):
            yield from _api_resources(entry, route)


def _canonical(scope: Any) -> str:
    return scope.strip().lower() if isinstance(scope, str) else ""


def _resource(path: str) -> str | None:
    root, _, rest = path.removeprefix("/").partition("/")
    return rest.partition("/")[0] or None if f"{root}/" == API_ROOT else None


def _manages_credentials(path: str) -> bool:
    if f"{path.rstrip('/')}/".startswith(CREDENTIAL_PATHS):
        return True
    return _is_ours(path, get_urlconf() or settings.ROOT_URLCONF)


@lru_cache(1000)
def _is_ours(path: str, urlconf: str) -> bool:
    try:
        return not OUR_APPS.isdisjoint(resolve(path, urlconf).app_names)
    except Resolver404:
        return False
