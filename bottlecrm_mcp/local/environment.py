"""Environment variables of the local server: which CRM, which token, which way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from bottlecrm_mcp.gateway.base import TOKEN_PREFIX
from bottlecrm_mcp.gateway.rest.urls import is_loopback

BASE_URL = "BCRM_BASE_URL"
TOKEN = "BCRM_TOKEN"
MODE = "BCRM_MODE"
ALLOW_HTTP = "BCRM_ALLOW_HTTP"
ENTITIES = "BCRM_ENTITIES"

MODES = ("auto", "mcp", "rest")
# People paste the URL of the API or of the endpoint for that of the host.
SURPLUS = ("/api", "/mcp")
WHERE_TOKENS_ARE = "Create one in BottleCRM under Settings → API Tokens."


class SettingsError(Exception):
    """A setting can't be used; the message is one line that says what to change."""


@dataclass(frozen=True)
class Environment:
    """The settings, checked. `entities` are the optional ones to serve over the REST API.

    The token is empty where the person signs in instead.

    `warnings` say what was forgiven.
    """

    base_url: str
    token: str = field(repr=False)
    mode: str = "auto"
    entities: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def read_environment(variables: Mapping[str, str]) -> Environment:
    """The settings in these variables. Raises `SettingsError`."""
    given = variables.get(BASE_URL, "").strip()
    base_url = _base_url(given, allow_http=variables.get(ALLOW_HTTP, "") in ("1", "true", "yes"))
    mode = variables.get(MODE, "").strip().lower() or "auto"
    if mode not in MODES:
        raise SettingsError(f"{MODE} is {mode!r}; use one of {', '.join(MODES)}.")
    warnings: tuple[str, ...] = ()
    if base_url != given:
        warnings = (f"{BASE_URL} should be {base_url}; what comes after it is ignored.",)
    given_token = variables.get(TOKEN, "").strip()
    token = _token(given_token) if given_token else ""
    entities = tuple(variables.get(ENTITIES, "").replace(",", " ").split())
    return Environment(base_url, token, mode, entities, warnings)


def _base_url(given: str, *, allow_http: bool) -> str:
    if not given:
        raise SettingsError(
            f"Set {BASE_URL} to the CRM's API host, such as https://crm.example.com."
        )
    try:
        parts = urlsplit(given)
        host, port = parts.hostname, parts.port
    except ValueError as problem:
        raise SettingsError(f"{BASE_URL} is not a URL: {problem}.") from problem
    if parts.scheme not in ("http", "https") or not host:
        raise SettingsError(f"{BASE_URL} must begin with https:// and name a host.")
    if parts.username or parts.password:
        raise SettingsError(f"{BASE_URL} must not hold a user name or password.")
    netloc = f"[{host}]" if ":" in host else host
    base_url = f"{parts.scheme}://{netloc}{f':{port}' if port else ''}{_path(parts.path)}"
    if parts.scheme == "http" and not is_loopback(base_url) and not allow_http:
        raise SettingsError(
            f"{BASE_URL} is plain http, which would send the token unencrypted. Use https, or set "
            f"{ALLOW_HTTP}=1 if the network is your own."
        )
    return base_url


def _path(path: str) -> str:
    path = path.rstrip("/")
    for surplus in SURPLUS:
        path = path.removesuffix(surplus).rstrip("/")
    return path


def _token(token: str) -> str:
    if not token.startswith(TOKEN_PREFIX):
        raise SettingsError(
            f"{TOKEN} is not a personal access token: those begin with {TOKEN_PREFIX}. "
            f"{WHERE_TOKENS_ARE}"
        )
    secret = token.removeprefix(TOKEN_PREFIX)
    if not secret or not all("!" <= each <= "~" for each in secret):
        raise SettingsError(
            f"{TOKEN} is incomplete or holds characters that no token has. {WHERE_TOKENS_ARE}"
        )
    return token
