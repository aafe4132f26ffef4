"""Cells of actions and of values that do more than they say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any
from uuid import uuid4

from bottlecrm_mcp.catalogue.model import Action, Entity, Field, Kind, ValueEffect
from bottlecrm_mcp.doctor.agent import Instead, Wrong
from bottlecrm_mcp.doctor.approvals import Approvals
from bottlecrm_mcp.doctor.writing import Writing

# The action without which another has nothing to undo, or the values it demands.
FIRST_ACTION = {
    ("cases", "unwatch"): "watch",
    ("cases", "unmerge"): "merge",
    ("cases", "unlink_solution"): "link_solution",
    ("solutions", "unpublish"): "publish",
}
FIRST_VALUES = {("solutions", "publish"): {"status": "approved"}}
# Actions that want a record without a value for this field.
WITHOUT = {("time_entries", "stop"): "ended_at"}
# What adds a part that other actions change or remove.
ADDED_BY = {
    "comments": "add_comment",
    "line_items": "add_line_item",
    "payments": "record_payment",
    "time_entries": "start_timer",
    "columns": "add_column",
    "tasks": "add_task",
}
# How many rows of which list of the record come or go with an action.
COUNTED = {
    "add_comment": ("comments", 1),
    "edit_comment": ("comments", 0),
    "delete_comment": ("comments", -1),
    "add_line_item": ("line_items", 1),
    "update_line_item": ("line_items", 0),
    "remove_line_item": ("line_items", -1),
    "mark_paid": ("payments", 1),
    "record_payment": ("payments", 1),
    "remove_payment": ("payments", -1),
    "link_solution": ("solutions", 1),
    "unlink_solution": ("solutions", -1),
    "log_time": ("time_entries", 1),
    "start_timer": ("time_entries", 1),
    "stop_timer": ("time_entries", 0),
    "delete_time_entry": ("time_entries", -1),
    "add_column": ("columns", 1),
    "add_task": ("tasks", 1),
    "update_task": ("tasks", 0),
    "move_task": ("tasks", 0),
    "delete_task": ("tasks", -1),
    "request_approval": ("approvals", 1),
    "approve": ("approvals", 0),
    "reject": ("approvals", 0),
    "cancel_approval": ("approvals", 0),
}
# What the record shows afterwards, beside what an action sends to the record itself.
SHOWS: Mapping[tuple[str, str], Mapping[str, Any]] = {
    ("invoices", "send"): {"status": "Sent"},
    ("invoices", "mark_paid"): {"status": "Paid"},
    ("invoices", "cancel"): {"status": "Cancelled"},
    ("estimates", "send"): {"status": "Sent"},
    ("estimates", "convert"): {"status": "Accepted"},
    ("solutions", "publish"): {"is_published": True},
    ("solutions", "unpublish"): {"is_published": False},
    ("tags", "restore"): {"is_active": True},
    ("tags", "merge"): {"is_active": False},
}
# Not given, so that the whole amount is paid and the comment is an ordinary one.
UNUSUAL = {"mark_paid": ("amount",), "add_comment": ("is_internal",)}
# Fields that a value demands beside it.
DEMANDS = {("cases", "Closed"): "closed_on"}


class Acting:
    """The cells of one entity's actions and marked values."""

    def __init__(self, writing: Writing) -> None:
        self.writing = writing
        self.bench = writing.bench
        self.agent = writing.agent
        self.truth = writing.truth
        self.samples = writing.samples
        self.entity: Entity = writing.entity
        self.record_id = writing.record_id
        self.approvals = Approvals(self.agent.person)

    def try_all(self) -> None:
        for action in self.entity.actions:
            self.bench.cell(self.entity, f"action {action.name}", partial(self._act, action))
            if action.effects:
                unconfirmed = partial(self._preview, action)
                self.bench.cell(self.entity, f"action {action.name} unconfirmed", unconfirmed)
            if action.parts or any(param.kind.is_relation for param in action.params):
                refuse = partial(self._refuse, action)
                self.bench.cell(self.entity, f"refuse bad {action.name}", refuse)
        for effect in self.entity.value_effects:
            name = f"{effect.field}={effect.value}"
            self.bench.cell(self.entity, f"update {name}", partial(self._update, effect))
            if effect.creates:
                self.bench.cell(self.entity, f"create {name}", partial(self._create, effect))

    def _act(self, action: Action) -> None:
        if action.admin_only and not self.agent.person.caller.is_admin:
            self._forbidden(action)
        self._prepare(action)
        params = self._params(action)
        child = self._child(action) if action.descendants else ""
        counted, difference = COUNTED.get(action.name, ("", 0))
        before = self.truth.parts(self.entity, self.record_id, counted)
        result = self._run(action, params)
        after = self.truth.parts(self.entity, self.record_id, counted)
        if len(after) - len(before) != difference:
            raise Wrong(f"There were {len(before)} {counted} and now there are {len(after)}.")
        if counted and difference >= 0:
            _require_texts(action, params, after)
        if expected := self._expected(action, params):
            self.truth.require(self.entity, self.record_id, expected)
        if child:
            self.truth.require(self.entity, child, action.body)
        self._require_made(action, result)

    def _expected(self, action: Action, params: Mapping[str, Any]) -> Mapping[str, Any]:
        if action.method == self.entity.update_method and action.path.endswith("/{id}/"):
            return {**action.body, **params}
        return SHOWS.get((self.entity.name, action.name), {})

    def _child(self, action: Action) -> str:
        """A record below this one, which the action is to reach, too."""
        child = self.writing.make()
        data = {action.descendants: self.record_id}
        self.agent.do("crm_update", entity=self.entity.name, id=child, data=data)
        return child

    def _run(
        self, action: Action, params: Mapping[str, Any], record_id: str = ""
    ) -> Mapping[str, Any]:
        run = self.agent.confirm if action.effects else self.agent.do
        arguments = self._arguments(action, params)
        return run("crm_action", **{**arguments, "id": record_id or self.record_id})

    def _arguments(self, action: Action, params: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "entity": self.entity.name,
            "id": self.record_id,
            "action": action.name,
            "params": params,
        }

    def _forbidden(self, action: Action) -> None:
        with self.truth.unchanged(self.entity, self.record_id):
            arguments = self._arguments(action, {})
            said = self.agent.fail("crm_action", "forbidden", **arguments, confirm=True)
        raise Instead(said.sentence)

    def _prepare(self, action: Action) -> None:
        key = (self.entity.name, action.name)
        self.record_id = self._subject(WITHOUT.get(key, ""))
        if first := self.entity.action(FIRST_ACTION.get(key, "")):
            self._prepare(first)
            self._run(first, self._params(first))
        if action.name == "request_approval":
            self.approvals.make_rule()
        if values := FIRST_VALUES.get(key):
            self.agent.do("crm_update", entity=self.entity.name, id=self.record_id, data=values)

    def _subject(self, left_out: str) -> str:
        if not left_out:
            return self.writing.record_id
        data = self.samples.create(self.entity, relations=False).data
        del data[left_out]
        return str(self.agent.do("crm_create", entity=self.entity.name, data=data)["id"])

    def _params(
        self, action: Action, record_id: str = "", *, with_part: bool = True
    ) -> dict[str, Any]:
        """A value for each parameter; a part of the record is made where one is wanted."""
        left_out = UNUSUAL.get(action.name, ())
        params = {
            each.name: self._target(each) if each.kind.is_relation else self.samples.value(each)
            for each in action.params
            if each.name not in left_out
        }
        for part in action.parts if with_part else ():
            params[part.name] = self._part(action, part.part_of, record_id or self.record_id)
        return params

    def _target(self, param: Field) -> str:
        if param.to == self.entity.name:
            return self.writing.make()
        target = self.samples.target(param)
        if target is None:
            raise Instead(f"There is nothing in {param.to} to name.")
        return target.id

    def _part(self, action: Action, included: str, record_id: str) -> str:
        """The id of a new part of a record, such as a comment."""
        if included == "approvals":
            return self._approval(action)
        adds = self.entity.action(ADDED_BY.get(included, ""))
        if adds is None:
            # A file that is deleted does not come back with a transaction.
            raise Instead(f"Nothing that can be rolled back adds to {included}.")
        before = {row["id"] for row in self.truth.parts(self.entity, record_id, included)}
        self._run(adds, self._params(adds, record_id), record_id)
        after = self.truth.parts(self.entity, record_id, included)
        return str(next(row["id"] for row in after if row["id"] not in before))

    def _approval(self, action: Action) -> str:
        if action.name != "cancel_approval":
            return self.approvals.request_of_colleague(self.agent, self.record_id)
        self.approvals.make_rule()
        return self.approvals.request(self.agent, self.record_id)

    def _require_made(self, action: Action, result: Mapping[str, Any]) -> None:
        """What an action returns of another record can be read."""
        answered = result["result"]
        if missing := [
            key for key in action.returns if action.returns_entity and key not in answered
        ]:
            raise Wrong(f"The answer lacks {', '.join(missing)}.")
        if action.returns_entity:
            made = answered[action.returns[0]]["id"]
            self.agent.do("crm_get", entity=action.returns_entity, id=made)
        for entity in self.bench.catalogue.entities:
            if made := answered.get(f"{entity.singular}_id"):
                self.agent.do("crm_get", entity=entity.name, id=made)

    def _preview(self, action: Action) -> None:
        self._prepare(action)
        arguments = self._arguments(action, self._params(action))
        included = action.parts[0].part_of if action.parts else ""
        before = self.truth.parts(self.entity, self.record_id, included)
        with self.truth.unchanged(self.entity, self.record_id):
            self.agent.preview("crm_action", **arguments)
        if self.truth.parts(self.entity, self.record_id, included) != before:
            raise Wrong(f"It changed the {included}.")

    def _refuse(self, action: Action) -> None:
        """Something of another record or organisation, and nothing at all."""
        self._prepare(action)
        params = self._params(action, with_part=False)
        for param in action.params:
            for value in self._bad(action, param):
                arguments = self._arguments(action, {**params, param.name: value})
                with self.truth.unchanged(self.entity, self.record_id):
                    self.agent.fail("crm_action", **arguments, confirm=True)

    def _bad(self, action: Action, param: Field) -> Iterator[str]:
        if param.kind.is_relation:
            yield from self.writing.bad_targets(param)
        elif param.part_of:
            yield from ("not-an-id", str(uuid4()))
            if param.part_of in ADDED_BY:
                yield self._part(action, param.part_of, self.writing.make())

    def _update(self, effect: ValueEffect) -> None:
        arguments = {"entity": self.entity.name, "id": self.record_id}
        data = self._data(effect)
        with self.truth.unchanged(self.entity, self.record_id):
            self.agent.preview("crm_update", **arguments, data=data)
            # Spelled differently it is the same value.
            if isinstance(effect.value, str):
                shouted = {**data, effect.field: effect.value.upper()}
                self.agent.preview("crm_update", **arguments, data=shouted)
            if effect.alone:
                both = {**data, **self._another(effect)}
                self.agent.fail("crm_update", **arguments, data=both, confirm=True)
        self.agent.confirm("crm_update", **arguments, data=data)
        self.truth.require(self.entity, self.record_id, {effect.field: effect.value})

    def _create(self, effect: ValueEffect) -> None:
        sample = self.samples.create(self.entity, relations=False)
        data = {**sample.data, **self._data(effect)}
        with self.truth.unchanged(self.entity):
            self.agent.preview("crm_create", entity=self.entity.name, data=data)
        made = self.agent.confirm("crm_create", entity=self.entity.name, data=data)
        self.truth.require(self.entity, made["id"], {effect.field: effect.value})

    def _data(self, effect: ValueEffect) -> dict[str, Any]:
        data: dict[str, Any] = {effect.field: effect.value}
        if effect.given:
            data[effect.given[0]] = effect.given[1]
        demanded = self.entity.field(DEMANDS.get((self.entity.name, str(effect.value)), ""))
        if demanded is not None:
            data[demanded.name] = self.samples.value(demanded)
        return data

    def _another(self, effect: ValueEffect) -> dict[str, Any]:
        field = next(each for each in self.entity.writable_fields if each.kind is Kind.TEXT)
        return {field.name: self.samples.value(field)}


def _require_texts(
    action: Action, params: Mapping[str, Any], rows: list[Mapping[str, Any]]
) -> None:
    """The texts that were given are in one row."""
    given = {
        param.name: params[param.name]
        for param in action.params
        if param.kind is Kind.TEXT and param.name in params and not param.name.endswith("_id")
    }
    if not any(all(row.get(name) == text for name, text in given.items()) for row in rows):
        raise Wrong(f"None of the rows shows {given}.")
