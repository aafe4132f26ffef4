"""Where cells are tried: each in a savepoint of its own that is rolled back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from django.db import transaction

from bottlecrm_mcp.catalogue.model import Catalogue, Entity
from bottlecrm_mcp.conf import mcp_settings
from bottlecrm_mcp.doctor.agent import Agent, Answer, Instead, Wrong
from bottlecrm_mcp.doctor.findings import Cell, Outcome
from bottlecrm_mcp.doctor.person import Person
from bottlecrm_mcp.doctor.samples import Samples
from bottlecrm_mcp.doctor.truth import Truth


class Bench:
    """All that a cell needs, and the cells so far."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.catalogue: Catalogue = mcp_settings().catalogue
        self.agent = Agent(person)
        self.truth = Truth(person)
        self.samples = Samples(person)
        self.cells: list[Cell] = []

    def cell(self, entity: Entity, what: str, work: Callable[[], str | None]) -> None:
        """Try one thing and undo it. `work` gives a sentence or raises `Wrong` or `Instead`."""
        self.named_cell(entity.name, what, work)

    def named_cell(self, name: str, what: str, work: Callable[[], str | None]) -> None:
        """The same for what is no entity."""
        self.agent.last = Answer({})
        outcome, sentence = _outcome(work, self.trial())
        last = self.agent.last
        self.cells.append(Cell(name, what, outcome, sentence, last.milliseconds, last.characters))

    def prepare(self, entity: Entity, work: Callable[[], None]) -> bool:
        """Do what other cells need, and keep it until the end. A failure is a cell."""
        outcome, sentence = _outcome(work, self.preparation())
        if outcome is not Outcome.OK:
            self.cells.append(Cell(entity.name, "crm_create", outcome, sentence))
        return outcome is Outcome.OK

    def trial(self) -> AbstractContextManager[None]:
        """Round what is taken back."""
        return undone()

    def preparation(self) -> AbstractContextManager[Any]:
        """Round what is kept."""
        return transaction.atomic()


def _outcome(
    work: Callable[[], str | None], frame: AbstractContextManager[None]
) -> tuple[Outcome, str]:
    try:
        with frame:
            return Outcome.OK, work() or ""
    except Instead as other:
        return Outcome.INSTEAD, str(other)
    except Wrong as problem:
        return Outcome.FAILED, str(problem)
    except Exception as fault:
        # A cell that breaks is a result too.
        return Outcome.FAILED, f"{type(fault).__name__}: {fault}"


@contextmanager
def undone() -> Iterator[None]:
    """Whatever is written within is taken back; a database error within goes no further."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
