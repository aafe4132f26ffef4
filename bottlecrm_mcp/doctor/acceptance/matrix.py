"""Matrix of every tool on every entity, tried as one person."""

from __future__ import annotations

from collections.abc import Iterator

from bottlecrm_mcp.catalogue.model import Entity
from bottlecrm_mcp.doctor.acceptance.actions import ActionCells
from bottlecrm_mcp.doctor.acceptance.global_search import GlobalSearchCells
from bottlecrm_mcp.doctor.acceptance.reads import ReadCells
from bottlecrm_mcp.doctor.acceptance.refusals import RefusalCells
from bottlecrm_mcp.doctor.acceptance.runner import Runner, Trial
from bottlecrm_mcp.doctor.acceptance.writes import WriteCells
from bottlecrm_mcp.doctor.findings import Cell
from bottlecrm_mcp.doctor.person import Person
from bottlecrm_mcp.doctor.progress import Progress, Tell, silence


def try_everything(person: Person, *, write: bool, tell: Tell = silence) -> list[Cell]:
    """The cells, those of an entity together."""
    runner = Runner(person)
    trials = list(planned(runner, write=write))
    progress = Progress(trials, tell)
    progress.begin(person.caller)
    progress.run(trials, runner.try_one)
    return runner.cells


def planned(runner: Runner, *, write: bool) -> Iterator[Trial]:
    for entity in runner.catalogue.entities:
        yield from trials_of(runner, entity, write=write)
    yield from GlobalSearchCells(runner).trials()


def trials_of(runner: Runner, entity: Entity, *, write: bool) -> Iterator[Trial]:
    yield from ReadCells(runner, entity).trials()
    if not write:
        return
    if entity.is_read_only or (entity.admin_writes and not runner.person.caller.is_admin):
        yield from RefusalCells(runner, entity).trials()
        return
    writes = WriteCells(runner, entity)
    yield from writes.trials()
    yield from ActionCells(writes).trials()
