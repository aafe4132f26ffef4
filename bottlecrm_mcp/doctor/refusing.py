"""Cells of entities that the CRM lets nobody write, or not this person."""

from __future__ import annotations

from functools import partial
from typing import Any

from bottlecrm_mcp.catalogue.model import Entity
from bottlecrm_mcp.doctor.agent import Instead
from bottlecrm_mcp.doctor.bench import Bench


class Refusing:
    """The writing cells of one entity, each of which is to be refused in a sentence."""

    def __init__(self, bench: Bench, entity: Entity) -> None:
        self.bench = bench
        self.agent = bench.agent
        self.entity = entity
        self.code = "not_supported" if entity.is_read_only else "forbidden"

    def try_all(self) -> None:
        self._cell("crm_create", "crm_create", data=self._data())
        one = {"id": self.agent.newest(self.entity.name)}
        self._cell("crm_update", "crm_update", **one, data=self._data(), confirm=True)
        self._cell("crm_delete", "crm_delete", **one, confirm=True)
        for action in self.entity.actions:
            arguments = {"action": action.name, "params": {}, "confirm": True}
            if not any(each.required for each in action.params):
                self._cell(f"action {action.name}", "crm_action", **one, **arguments)

    def _cell(self, what: str, tool: str, **arguments: Any) -> None:
        self.bench.cell(self.entity, what, partial(self._refuse, tool, arguments))

    def _refuse(self, tool: str, arguments: dict[str, Any]) -> None:
        if arguments.get("id") == "":
            raise Instead(f"There are no {self.entity.name} to try it on.")
        with self.bench.truth.unchanged(self.entity, str(arguments.get("id", ""))):
            said = self.agent.fail(tool, self.code, entity=self.entity.name, **arguments)
        raise Instead(said.sentence)

    def _data(self) -> dict[str, Any]:
        return self.bench.samples.create(self.entity, relations=False).data
