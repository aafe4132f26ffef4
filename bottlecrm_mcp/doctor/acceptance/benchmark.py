"""Benchmark of searches and gets beside the REST answers that they stand for: time and size."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from statistics import median
from typing import Any

from bottlecrm_mcp.catalogue.model import Entity
from bottlecrm_mcp.conf import mcp_settings
from bottlecrm_mcp.doctor.acceptance.agent import Agent
from bottlecrm_mcp.doctor.findings import Comparison, Cost
from bottlecrm_mcp.doctor.person import Person
from bottlecrm_mcp.tools.truncation import size

ROUNDS = 3
ROWS = 10


def compare(person: Person) -> list[Comparison]:
    """A search and a get of each entity. Only within `never_committed`."""
    return [each for entity in mcp_settings().catalogue.entities for each in _both(person, entity)]


def _both(person: Person, entity: Entity) -> Iterator[Comparison]:
    agent, gateway = Agent(person), person.gateway()
    arguments = {"entity": entity.name, "limit": ROWS}
    found = agent.do("crm_search", **arguments)
    parameters = {**entity.list_parameters, "limit": ROWS}
    yield _comparison(
        entity,
        "crm_search",
        lambda: agent.do("crm_search", **arguments),
        lambda: gateway.read(entity.path, parameters).data,
    )
    if found["records"]:
        record_id = found["records"][0]["id"]
        path = entity.record_path(record_id) if entity.has_detail else entity.path
        yield _comparison(
            entity,
            "crm_get",
            lambda: agent.do("crm_get", entity=entity.name, id=record_id),
            lambda: gateway.read(path).data,
        )


def _comparison(
    entity: Entity, tool: str, ours: Callable[[], Any], rest: Callable[[], Any]
) -> Comparison:
    rounds = [(_cost(ours), _cost(rest)) for _ in range(ROUNDS)]
    return Comparison(
        entity.name,
        tool,
        _median([mine for mine, _ in rounds]),
        _median([theirs for _, theirs in rounds]),
    )


def _cost(work: Callable[[], Mapping[str, Any]]) -> Cost:
    started = time.perf_counter()
    answer = work()
    took = (time.perf_counter() - started) * 1000
    return Cost(took, size(answer))


def _median(costs: list[Cost]) -> Cost:
    return Cost(median(each.milliseconds for each in costs), costs[-1].characters)
