"""What a tool writes against the same write by the REST API on the same server."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count, cycle
from typing import Any

from bottlecrm_mcp.catalogue.model import Entity
from bottlecrm_mcp.gateway.base import RowQuery
from bottlecrm_mcp.gateway.in_process.gateway import database_call
from bottlecrm_mcp.tools.crm import Crm
from demo_crm.access.row_security import org_context
from demo_crm.models import Org, Solution
from tests.benchmarks.hosted import MOST_CALLS, Load, beside
from tests.benchmarks.http_client import request, tool
from tests.benchmarks.measure import table

# A field of each entity that any text may be written to.
UPDATED = {"leads": "description", "cases": "description", "tasks": "description"}
UPDATED |= {"invoices": "notes", "solutions": "description"}

# What `compare` sends before its rounds.
BEFORE = 8

Data = Mapping[str, Any]


def run(crm: Crm, secret: str, rounds: int) -> str:
    """One caller, one worker; every write has values of its own."""
    numbers = count()
    new = {
        "leads": lambda each: {"last_name": f"New {each}", "email": f"new{each}@lead.example"},
        "cases": lambda each: {"name": f"New {each}", "status": "New", "priority": "Low"},
        "tasks": lambda each: {"title": f"New {each}", "status": "New", "priority": "Low"},
        "solutions": lambda each: {"title": f"New {each}", "description": "Do this."},
    }
    pairs = {}
    for name, data_of in new.items():

        def made(data_of: Callable[[int], Data] = data_of) -> Data:
            return data_of(next(numbers))

        pairs[f"create {name}"] = created(secret, crm.entity(name), made)
    for name, field in UPDATED.items():

        def changed(field: str = field) -> Data:
            return {field: f"Text {next(numbers)}"}

        entity = crm.entity(name)
        pairs[f"update {name}"] = updated(secret, entity, newest(crm, entity), changed)
    spare = made_solutions(crm, 2 * (MOST_CALLS * rounds + BEFORE))
    pairs["delete solutions"] = deleted(secret, crm.entity("solutions"), spare)
    pairs["comment on leads"] = commented(secret, crm.entity("leads"), ids_of(crm, "leads"))
    head = ("write", "tool p50 ms", "REST p50 ms", "tool CPU ms", "REST CPU ms", "CPU ratio")
    return table(head, beside(pairs, rounds))


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


def deleted(secret: str, entity: Entity, ids: Iterator[str]) -> tuple[Load, Load]:
    by_tool = (
        tool(secret, "crm_delete", entity=entity.name, id=each, confirm=True) for each in ids
    )
    by_rest = (request("DELETE", entity.written_at(each), secret) for each in ids)
    return Load(by_tool), Load(by_rest, 204)


def commented(secret: str, entity: Entity, ids: Sequence[str]) -> tuple[Load, Load]:
    """On one record after the other: the CRM answers with all comments that it has."""
    comment = {"comment": "Called."}
    named = {"entity": entity.name, "action": "add_comment", "params": comment}
    body = json.dumps(comment).encode()
    return (
        Load(tool(secret, "crm_action", id=each, **named) for each in cycle(ids)),
        Load(request("POST", entity.record_path(each), secret, body) for each in cycle(ids)),
    )


def made_solutions(crm: Crm, number: int) -> Iterator[str]:
    org = Org.objects.get(pk=crm.caller.org_id)
    new = (Solution(org=org, title=f"Spare {each}", description=".") for each in range(number))
    with org_context(org):
        return iter([str(each.pk) for each in Solution.objects.bulk_create(new)])


def ids_of(crm: Crm, name: str) -> list[str]:
    with database_call():
        rows = crm.page(crm.entity(name), RowQuery((), limit=MOST_CALLS)).rows
    return [str(each["id"]) for each in rows]


def newest(crm: Crm, entity: Entity) -> str:
    return ids_of(crm, entity.name)[0]
