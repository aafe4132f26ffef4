"""Coverage of the CRM's routes: which the tools use, which no tool is to use, which are left."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from bottlecrm_mcp.catalogue.excluded_routes import reason_for_exclusion
from bottlecrm_mcp.catalogue.model import Catalogue, Entity

OPTIONAL = "The setting ENTITIES serves it: {}."
OTHER_METHOD = "Another method of the same route is used."


@dataclass(frozen=True)
class Coverage:
    """Routes as "METHOD path" with `{}` for an id; those that are excluded with the reason."""

    used: tuple[str, ...]
    excluded: Mapping[str, str]
    uncovered: tuple[str, ...]


def coverage(catalogue: Catalogue, routes: Iterable[str]) -> Coverage:
    """`routes` are those of the host, as "METHOD path"."""
    used = set(used_routes(catalogue))
    offered = {route: each.name for each in catalogue.optional for route in entity_routes(each)}
    every = sorted(set(routes), key=lambda route: route.split()[::-1])
    reasons = {route: _reason(route, used, offered) for route in every if route not in used}
    return Coverage(
        tuple(route for route in every if route in used),
        {route: reason for route, reason in reasons.items() if reason},
        tuple(route for route, reason in reasons.items() if not reason),
    )


def _reason(route: str, used: set[str], offered: Mapping[str, str]) -> str:
    if route in offered:
        return OPTIONAL.format(offered[route])
    method, path = route.split()
    other = {"PUT": "PATCH", "PATCH": "PUT"}.get(method, "")
    if any(f"{other} {path}" in each for each in (used, offered)):
        return OTHER_METHOD
    return reason_for_exclusion(route)


def used_routes(catalogue: Catalogue) -> Iterator[str]:
    for entity in catalogue.entities:
        yield from entity_routes(entity)
    for path in (catalogue.profile_path, catalogue.organisation_path):
        yield f"GET {path}"


def entity_routes(entity: Entity) -> Iterator[str]:
    """Each as "METHOD path", with {} for an id."""
    yield f"GET {entity.path}"
    if entity.has_detail:
        yield f"GET {entity.record_path('{}')}"
    if not entity.no_create:
        yield f"POST {bare(entity.path_of_create)}"
    if not entity.no_update:
        yield f"{entity.update_method} {entity.written_at('{}')}"
        if entity.put_fields:
            yield f"PUT {entity.written_at('{}')}"
    if not entity.no_delete:
        yield f"DELETE {entity.written_at('{}')}"
    for action in entity.actions:
        yield f"{action.method} {bare(action.path)}"
    for included in entity.includes:
        yield from (f"GET {bare(each)}" for each in (included.path, included.download) if each)


def bare(path: str) -> str:
    """The path with `{}` for whatever it names in braces."""
    return re.sub(r"\{\w*\}", "{}", path)
