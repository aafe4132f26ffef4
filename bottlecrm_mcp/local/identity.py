"""Identity and scopes of a token, as far as the REST API tells them.

The API has no way to ask for a token's scopes, so a path of each resource that leads nowhere is
tried: one that is out of scope is refused before the CRM looks whether it exists.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bottlecrm_mcp.catalogue.model import Catalogue
from bottlecrm_mcp.gateway.base import Caller, GatewayError, Reply
from bottlecrm_mcp.gateway.rest.connection import Connection
from bottlecrm_mcp.gateway.shared.rows import dig

DEAD_TOKEN = "Organization context is required"
# No route of the CRM has this segment, so that a request to it does nothing.
NOWHERE = "-"
AT_ONCE = 6

REFUSED = GatewayError(
    "unauthorized",
    "The CRM does not accept this token: it is unknown, revoked, expired or paused, or its owner "
    "is inactive. Create a new one in BottleCRM under Settings → API Tokens and set BCRM_TOKEN "
    "to it.",
)


def who_am_i(connection: Connection, catalogue: Catalogue) -> Caller:
    """The caller behind a connection's token. Raises `GatewayError`.

    A token with scopes may not show whose it is: what is not known is left empty, and the time zone
    is then UTC.
    """
    with ThreadPoolExecutor(AT_ONCE) as pool:
        profile = pool.submit(connection.read, catalogue.profile_path)
        org = pool.submit(connection.read, catalogue.organisation_path)
        scopes = pool.submit(lambda: _scopes(connection, catalogue))
        person = _readable(profile.result(), connection)
        organisation = _readable(org.result(), connection)
        return _caller(person.get("user_obj") or {}, organisation, scopes.result())


def _readable(reply: Reply, connection: Connection) -> Mapping[str, Any]:
    """The answer, empty where it is out of the token's scope."""
    if reply.status == 401 or DEAD_TOKEN in str(dig(reply.data, "detail") or ""):
        raise REFUSED
    if reply.status == 403 and isinstance(reply.data, Mapping):
        return {}
    if reply.status >= 500:
        raise GatewayError(
            "crm_error", f"{connection.base_url} fails at present (status {reply.status})."
        )
    if not reply.ok or not isinstance(reply.data, Mapping):
        raise GatewayError(
            "not_the_crm",
            f"{connection.base_url} does not serve BottleCRM's API (status {reply.status}). "
            "BCRM_BASE_URL must be the CRM's API host.",
        )
    return reply.data


def _caller(
    profile: Mapping[str, Any], organisation: Mapping[str, Any], scopes: tuple[str, ...]
) -> Caller:
    def told(source: Mapping[str, Any], path: str) -> str:
        return str(dig(source, path) or "")

    return Caller(
        profile_id=told(profile, "id"),
        name=told(profile, "user_details.name"),
        email=told(profile, "user_details.email"),
        role=told(profile, "role"),
        org_id=told(organisation, "id"),
        org_name=told(organisation, "name"),
        timezone=told(organisation, "timezone") or "UTC",
        user_id=told(profile, "user_details.id"),
        scopes=scopes,
    )


def _scopes(connection: Connection, catalogue: Catalogue) -> tuple[str, ...]:
    """The scopes that matter here; empty for a token that may do what its owner may."""
    tries: tuple[tuple[str, Callable[[str], Reply]], ...] = (
        ("read", lambda path: connection.read(path)),
        ("write", lambda path: connection.write("POST", path, {}).reply),
    )
    found: list[str] = []
    for action, ask in tries:
        if _is_allowed(ask(f"/api/{NOWHERE}/")):
            found.append(f"*:{action}")
        else:
            found += _each(ask, catalogue_resources(catalogue), action)
    return () if found == ["*:read", "*:write"] else tuple(found)


def _each(ask: Callable[[str], Reply], resources: Iterable[str], action: str) -> list[str]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        asked = {each: pool.submit(ask, f"/api/{each}/{NOWHERE}/") for each in resources}
        return [f"{each}:{action}" for each in asked if _is_allowed(asked[each].result())]


def _is_allowed(reply: Reply) -> bool:
    return reply.status != 403


def catalogue_resources(catalogue: Catalogue) -> list[str]:
    """The resources that the tools use."""
    entities = (
        each.resource_for(access) for each in catalogue.entities for access in ("read", "write")
    )
    return list(dict.fromkeys([*entities, "profile", "org"]))
