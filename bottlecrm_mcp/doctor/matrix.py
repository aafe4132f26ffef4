"""Every tool on every entity, as one person, in a transaction that is rolled back."""

from __future__ import annotations

from bottlecrm_mcp.catalogue.model import Entity
from bottlecrm_mcp.doctor.acting import Acting
from bottlecrm_mcp.doctor.bench import Bench
from bottlecrm_mcp.doctor.everywhere import Everywhere
from bottlecrm_mcp.doctor.findings import Cell
from bottlecrm_mcp.doctor.person import Person
from bottlecrm_mcp.doctor.reading import Reading
from bottlecrm_mcp.doctor.refusing import Refusing
from bottlecrm_mcp.doctor.writing import Writing
from bottlecrm_mcp.tools.my_day import MY_DAY
from bottlecrm_mcp.tools.search_all import ALL


def try_everything(person: Person, *, write: bool) -> list[Cell]:
    """The cells. Only within `never_committed`."""
    bench = Bench(person)
    try_reading(bench)
    if write:
        for writing in made_ready(bench):
            writing.try_all()
            Acting(writing).try_all()
    return in_order(bench)


def try_reading(bench: Bench) -> None:
    for entity in bench.catalogue.entities:
        Reading(bench, entity).try_all()
    Everywhere(bench).try_all()


def in_order(bench: Bench) -> list[Cell]:
    order = [*bench.catalogue.entity_names, ALL, MY_DAY]
    return sorted(bench.cells, key=lambda cell: order.index(cell.entity))


def made_ready(bench: Bench) -> list[Writing]:
    """Those that this person can write, each with a record; the others are tried here."""
    ready = []
    for entity in _in_order(bench.catalogue.entities):
        if entity.is_read_only or (entity.admin_writes and not bench.person.caller.is_admin):
            Refusing(bench, entity).try_all()
            continue
        writing = Writing(bench, entity)
        if bench.prepare(entity, writing.keep):
            ready.append(writing)
    return ready


def _in_order(entities: tuple[Entity, ...]) -> list[Entity]:
    """Those first that can be made without others."""

    def needs(entity: Entity) -> int:
        return sum(field.required and field.kind.is_relation for field in entity.fields)

    return sorted(entities, key=needs)
