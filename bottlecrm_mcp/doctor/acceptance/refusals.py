"""Refusals of writes that the CRM lets nobody make, or not this person."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from bottlecrm_mcp.catalogue.model import Entity
from bottlecrm_mcp.doctor.acceptance.agent import Instead
from bottlecrm_mcp.doctor.acceptance.runner import Runner, Trial


class RefusalCells:
    """The trials of one entity that write, each of which is to be refused in a sentence."""

    def __init__(self, runner: Runner, entity: Entity) -> None:
        self.runner = runner
        self.agent = runner.agent
        self.entity = entity
        self.code = "not_supported" if entity.is_read_only else "forbidden"

    def trials(self) -> Iterator[Trial]:
        for what, work in (
            ("crm_create", self._create),
            ("crm_update", self._update),
            ("crm_delete", self._delete),
        ):
            yield Trial(self.entity.name, what, work)
        for action in self.entity.actions:
            if not any(each.required for each in action.params):
                work = partial(self._act, action.name)
                yield Trial(self.entity.name, f"action {action.name}", work)

    def _create(self) -> None:
        self._refuse("crm_create", data=self._data())

    def _update(self) -> None:
        self._refuse("crm_update", id=self._newest(), data=self._data(), confirm=True)

    def _delete(self) -> None:
        self._refuse("crm_delete", id=self._newest(), confirm=True)

    def _act(self, action: str) -> None:
        self._refuse("crm_action", id=self._newest(), action=action, params={}, confirm=True)

    def _refuse(self, tool: str, **arguments: Any) -> None:
        with self.runner.truth.unchanged(self.entity, arguments.get("id", "")):
            said = self.agent.fail(tool, self.code, entity=self.entity.name, **arguments)
        raise Instead(said.sentence)

    def _newest(self) -> str:
        return str(self.runner.samples.newest(self.entity)["id"])

    def _data(self) -> dict[str, Any]:
        return self.runner.samples.create(self.entity, relations=False).data
