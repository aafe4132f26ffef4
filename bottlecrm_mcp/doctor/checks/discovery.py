"""Whether clients that know the address alone find their way: the issuer, as it is seen outside."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx2

from bottlecrm_mcp.doctor.findings import Finding, failure, ok, warning
from bottlecrm_mcp.hosted import oauth

PART = "OAuth"
SECONDS = 5
OFF = (
    "Clients need a token, since PAT_TOKENS_ISSUER is not set. With it (the public origin, such as "
    "https://crm.example.com) the address of /mcp is enough."
)


def check_discovery() -> Iterator[Finding]:
    if not oauth.is_on():
        yield ok(PART, OFF)
        return
    from bottlecrm_mcp.hosted.oauth import metadata

    documents = (
        (f"{metadata.RESOURCE_PATH}/mcp", metadata.protected_resource()),
        (metadata.SERVER_PATH, metadata.authorization_server()),
    )
    for path, expected in documents:
        finding = _compared(path, expected)
        if finding is not None:
            yield finding
            return
    yield ok(PART, f"Clients find the issuer {expected['issuer']}, by which requests arrive too.")


def _compared(path: str, expected: dict[str, Any]) -> Finding | None:
    from bottlecrm_mcp.hosted.oauth.routes import ARRIVED
    from pat_tokens.oauth import token_settings

    url = token_settings.issuer + path
    try:
        answer = fetch(url)
        found = answer.json()
    except (httpx2.HTTPError, ValueError) as problem:
        said = f"{url} gives no document ({type(problem).__name__})"
        return warning(PART, f"{said}; look whether the proxy sends it to the process of /mcp.")
    if found != expected:
        return failure(PART, f"{url} gives another document than this process would: which serves?")
    if arrived := answer.headers.get(ARRIVED):
        return failure(
            PART,
            f"Requests to {token_settings.issuer} arrive as {arrived}: let the proxy pass Host and "
            "X-Forwarded-Proto on, and believe them (SECURE_PROXY_SSL_HEADER, ALLOWED_HOSTS).",
        )
    return None


def fetch(url: str) -> httpx2.Response:
    """Raises `httpx2.HTTPError`."""
    return httpx2.get(url, timeout=SECONDS)
