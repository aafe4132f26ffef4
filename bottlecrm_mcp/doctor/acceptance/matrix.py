"""Every tool on every entity, as one person."""

from __future__ import annotations

from collections.abc import Iterator

from bottlecrm_mcp.catalogue.model import Entity
from bottlecrm_mcp.doctor.acceptance.actions import Acting
from bottlecrm_mcp.doctor.acceptance.global_search import Everywhere
from bottlecrm_mcp.doctor.acceptance.reads import Reading
from bottlecrm_mcp.doctor.acceptance.refusals import Refusing
from bottlecrm_mcp.doctor.acceptance.runner import Bench, Trial
from bottlecrm_mcp.doctor.acceptance.writes import Writing
from bottlecrm_mcp.doctor.findings import Cell
from bottlecrm_mcp.doctor.person import Person
from bottlecrm_mcp.doctor.progress import Progress, Tell, silence


def try_everything(person: Person, *, write: bool, tell: Tell = silence) -> list[Cell]:
    """The cells, those of an entity together."""
    bench = Bench(person)
    trials = list(planned(bench, write=write))
    progress = Progress(trials, tell)
    progress.begin(person.caller)
    progress.run(trials, bench.try_one)
    return bench.cells


def planned(bench: Bench, *, write: bool) -> Iterator[Trial]:
    for entity in bench.catalogue.entities:
        yield from trials_of(bench, entity, write=write)
    yield from Everywhere(bench).trials()


def trials_of(bench: Bench, entity: Entity, *, write: bool) -> Iterator[Trial]:
    yield from Reading(bench, entity).trials()
    if not write:
        return
    if entity.is_read_only or (entity.admin_writes and not bench.person.caller.is_admin):
        yield from Refusing(bench, entity).trials()
        return
    writing = Writing(bench, entity)
    yield from writing.trials()
    yield from Acting(writing).trials()
