"""What a tool writes against the same write by the REST API on the same server."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from typing import Any

from bottlecrm_mcp.catalogue.model import Entity
from bottlecrm_mcp.gateway.base import RowQuery
from bottlecrm_mcp.gateway.in_process.gateway import database_call
from bottlecrm_mcp.tools.crm import Crm
from tests.benchmarks.hosted import Load, compare
from tests.benchmarks.http_client import request, tool
from tests.benchmarks.measure import table
from tests.benchmarks.serving import served

# A field of each entity that any text may be written to.
UPDATED = {"leads": "description", "cases": "description", "tasks": "description"}
UPDATED |= {"invoices": "notes", "solutions": "description"}

Data = Mapping[str, Any]


def run(crm: Crm, secret: str, rounds: int) -> str:
    """One caller, one worker; every write has values of its own."""
    numbers = count()

    def made_lead() -> Data:
        number = next(numbers)
        return {"last_name": f"New {number}", "email": f"new{number}@lead.example"}

    pairs = {"create leads": created(secret, crm.entity("leads"), made_lead)}
    for name, field in UPDATED.items():

        def changed(field: str = field) -> Data:
            return {field: f"Text {next(numbers)}"}

        entity = crm.entity(name)
        pairs[f"update {name}"] = updated(secret, entity, newest(crm, entity), changed)
    with served(1) as server:
        loads = {
            (name, which): (1, 1, pair[which]) for name, pair in pairs.items() for which in (0, 1)
        }
        compare({1: server}, loads, rounds)
    rows = [
        (
            name, write.quantile(0.5), rest.quantile(0.5), write.cpu_ms, rest.cpu_ms,
            write.cpu_ms / rest.cpu_ms,
        )
        for name, (write, rest) in pairs.items()
    ]  # fmt: skip
    head = ("write", "tool p50 ms", "REST p50 ms", "tool CPU ms", "REST CPU ms", "CPU ratio")
    return table(head, rows)


def created(secret: str, entity: Entity, data: Callable[[], Data]) -> tuple[Load, Load]:
    def by_tool() -> Iterator[bytes]:
        while True:
            yield tool(secret, "crm_create", entity=entity.name, data=data())

    def by_rest() -> Iterator[bytes]:
        while True:
            yield request("POST", entity.path, secret, json.dumps(data()).encode())

    return Load(by_tool()), Load(by_rest())


def updated(
    secret: str, entity: Entity, record_id: str, data: Callable[[], Data]
) -> tuple[Load, Load]:
    def by_tool() -> Iterator[bytes]:
        while True:
            yield tool(secret, "crm_update", entity=entity.name, id=record_id, data=data())

    def by_rest() -> Iterator[bytes]:
        path = entity.record_path(record_id)
        while True:
            sent = data()
            method = entity.method_of_update(sent)
            yield request(method, path, secret, json.dumps(sent).encode())

    return Load(by_tool()), Load(by_rest())


def newest(crm: Crm, entity: Entity) -> str:
    with database_call():
        (row,) = crm.page(entity, RowQuery((), limit=1)).rows
    return str(row["id"])
