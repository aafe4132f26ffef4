"""crm_search against the REST list that it goes through, for every entity."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django.urls import resolve
from rest_framework.renderers import JSONRenderer

from bottlecrm_mcp.catalogue.model import Entity
from bottlecrm_mcp.gateway.in_process.gateway import InProcessGateway, model_of
from bottlecrm_mcp.gateway.in_process.hooks.queryset_capture import Capture
from bottlecrm_mcp.tools.crm import Crm
from bottlecrm_mcp.tools.searches.one_entity import search_entity
from bottlecrm_mcp.tools.truncation import size
from tests.benchmarks.measure import compare, table
from tests.benchmarks.world import FILLED

ROWS = 10
HEAD = (
    "entity",
    "search ms",
    "REST ms",
    "ratio",
    "CPU ratio",
    "queries",
    "REST queries",
    "characters",
    "REST characters",
)


def run(crm: Crm, rounds: int) -> str:
    rows = []
    for entity in map(crm.entity, FILLED):
        calls = {"search": search(crm, entity), "rest": rest_list(crm, entity)}
        bare = bare_list(crm, entity)
        if bare is not None:
            calls["bare"] = bare
        costs = compare(calls, rounds)
        found, rest = costs["search"], costs["rest"]
        row: tuple[Any, ...] = (
            entity.name,
            found.wall_ms,
            rest.wall_ms,
            found.wall_ms / rest.wall_ms,
            found.cpu_ms / rest.cpu_ms,
            found.queries,
            rest.queries,
            found.characters,
            rest.characters,
        )
        if bare is not None:
            row += (found.cpu_ms / costs["bare"].cpu_ms,)
        rows.append(row)
    head = HEAD if len(rows[0]) == len(HEAD) else (*HEAD, "CPU ratio to rows alone")
    return table(head, rows)


def search(crm: Crm, entity: Entity) -> Callable[[], int]:
    return lambda: size(search_entity(crm, entity=entity.name, limit=ROWS))


def rest_list(crm: Crm, entity: Entity) -> Callable[[], int]:
    """The list as a REST client gets it, without the network."""
    return lambda: size(crm.gateway.read(entity.path, {"limit": ROWS}).data)


def bare_list(crm: Crm, entity: Entity) -> Callable[[], int] | None:
    """The same rows by the view's own serializer, without the drop-down data around them.

    Only where the view says which serializer that is, as the demo's do.
    """
    view = getattr(resolve(entity.path).func, "view_class", None)
    serializer = getattr(view, "row", None)
    gateway = crm.gateway
    if serializer is None or not isinstance(gateway, InProcessGateway):
        return None

    def rows(querysets: Any) -> Any:
        page = [each for queryset in querysets for each in queryset[:ROWS]][:ROWS]
        rendered = serializer(page, many=True, context={"request": None}).data
        return json.loads(JSONRenderer().render(rendered))

    def call() -> int:
        capture = Capture(model_of(entity), crm.caller.org_id, len(entity.sections), rows)
        gateway.hand_over(entity, capture)
        return size(capture.result) if capture.taken else 0

    return call
