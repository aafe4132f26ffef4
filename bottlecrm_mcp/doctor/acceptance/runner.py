"""Runner of the trials: each in a transaction of its own that is rolled back at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from bottlecrm_mcp.catalogue.model import Catalogue
from bottlecrm_mcp.conf import mcp_settings
from bottlecrm_mcp.doctor.acceptance.agent import Agent, Instead, ToolAnswer, Wrong
from bottlecrm_mcp.doctor.acceptance.ground_truth import GroundTruth
from bottlecrm_mcp.doctor.acceptance.samples import Samples
from bottlecrm_mcp.doctor.findings import Cell, Outcome
from bottlecrm_mcp.doctor.locks import MOST_SECONDS, Locks
from bottlecrm_mcp.doctor.person import Person
from bottlecrm_mcp.doctor.rollback import never_committed
from bottlecrm_mcp.hosted import token_policy

# What others write meanwhile can spoil a trial. One that fails is tried again, and more often where
# the database said that another transaction was in the way.
ATTEMPTS = 2
ATTEMPTS_IF_CONTENDED = 10
HELD = f"It would hold locks for more than {MOST_SECONDS:g} s."

Work = Callable[[], str | None]


@dataclass(frozen=True)
class Trial:
    """One thing to try. `work` gives a sentence or raises `Wrong` or `Instead`.

    `makes` says that it works on a record of the entity that is made for it.
    """

    entity: str
    what: str
    work: Work
    makes: bool = False


class Runner:
    """All that a trial needs, and the cells so far."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.catalogue: Catalogue = mcp_settings().catalogue
        self.agent = Agent(person)
        self.truth = GroundTruth(person)
        self.samples = Samples(person, self.agent)
        self.cells: list[Cell] = []
        self._can_make: dict[str, bool] = {}

    def run(self, trials: Iterable[Trial]) -> None:
        for trial in trials:
            self.try_one(trial)

    def try_one(self, trial: Trial) -> None:
        """Add the cell of this trial; none if no record can be made for it."""
        if not trial.makes or self._is_possible(trial.entity):
            self.cells.append(self._cell(trial))

    def _is_possible(self, name: str) -> bool:
        """Whether a record of this entity can be made. The first time that it can't is a cell."""
        if name not in self._can_make:
            cell = self._cell(Trial(name, "crm_create", lambda: self._make(name)))
            self._can_make[name] = cell.outcome is Outcome.OK
            if cell.outcome is not Outcome.OK:
                self.cells.append(cell)
        return self._can_make[name]

    def _make(self, name: str) -> None:
        entity = self.catalogue.entity(name)
        if entity is not None:
            self.samples.record(entity)

    def _cell(self, trial: Trial) -> Cell:
        for attempt in range(1, ATTEMPTS_IF_CONTENDED + 1):
            cell, is_contended = self._attempt(trial)
            if cell.outcome is not Outcome.FAILED or (attempt >= ATTEMPTS and not is_contended):
                break
            self.samples.forget_found()
        return cell

    def _attempt(self, trial: Trial) -> tuple[Cell, bool]:
        """The cell, and whether another transaction was in the way."""
        self.agent.last = ToolAnswer({})
        self.samples.forget_made()
        locks = Locks()
        try:
            # As within a call to /mcp: its requests share one look-up of the token.
            with self.transaction() as locks, token_policy.request_cache():
                outcome, sentence = Outcome.OK, trial.work() or ""
        except Instead as other:
            outcome, sentence = Outcome.INSTEAD, str(other)
        except Wrong as problem:
            outcome, sentence = Outcome.FAILED, str(problem)
        except Exception as fault:
            # What breaks is a result too.
            outcome, sentence = Outcome.FAILED, f"{type(fault).__name__}: {fault}"
        if locks.is_over:
            outcome, sentence = Outcome.UNTRIED, HELD
        last = self.agent.last
        took, size = last.milliseconds, last.characters
        return Cell(trial.entity, trial.what, outcome, sentence, took, size), locks.is_contended

    def transaction(self) -> AbstractContextManager[Locks]:
        """What is written within is taken back; a database error within goes no further."""
        return never_committed(self.person)
