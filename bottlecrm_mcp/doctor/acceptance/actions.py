"""Actions, tried one by one, and values that do more than they say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any
from uuid import uuid4

from bottlecrm_mcp.catalogue.model import Action, ApprovalRules, Entity, Field, Kind, ValueEffect
from bottlecrm_mcp.doctor.acceptance.agent import Instead, Wrong
from bottlecrm_mcp.doctor.acceptance.approvals import Approvals
from bottlecrm_mcp.doctor.acceptance.runner import Trial, Work
from bottlecrm_mcp.doctor.acceptance.writes import WriteCells


class ActionCells:
    """The trials of one entity's actions and marked values."""

    def __init__(self, writes: WriteCells) -> None:
        self.writes = writes
        self.runner = writes.runner
        self.agent = writes.agent
        self.truth = writes.truth
        self.samples = writes.samples
        self.entity: Entity = writes.entity
        self.record_id = ""
        self.approvals = Approvals(self.agent.person, self.entity)

    def trials(self) -> Iterator[Trial]:
        for what, work in self._all():
            yield Trial(self.entity.name, what, work, makes=True)

    def _all(self) -> Iterator[tuple[str, Work]]:
        for action in self.entity.actions:
            yield f"action {action.name}", partial(self._act, action)
            if action.effects:
                yield f"action {action.name} unconfirmed", partial(self._preview, action)
            if action.parts or any(param.kind.is_relation for param in action.params):
                yield f"refuse bad {action.name}", partial(self._refuse, action)
        for effect in self.entity.value_effects:
            name = f"{effect.field}={effect.value}"
            yield f"update {name}", partial(self._update, effect)
            if effect.creates:
                yield f"create {name}", partial(self._create, effect)

    def _act(self, action: Action) -> None:
        if action.admin_only and not self.agent.person.caller.is_admin:
            self._forbidden(action)
        if action.upload:
            raise Instead("An address takes the file, which needs a request to this server.")
        self._prepare(action)
        params = self._params(action)
        child = self._child(action) if action.descendants else ""
        counted, difference = self._counted(action)
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

    def _counted(self, action: Action) -> tuple[str, int]:
        """The list of the record whose rows an action adds, removes or changes, and how many."""
        if action.adds:
            return action.adds, 1
        followed = self.entity.action(action.follows)
        included = action.parts[0].part_of if action.parts else followed.adds if followed else ""
        return included, -1 if included and action.method == "DELETE" else 0

    def _expected(self, action: Action, params: Mapping[str, Any]) -> Mapping[str, Any]:
        if action.method == self.entity.update_method and action.path.endswith("/{id}/"):
            return {**action.body, **params}
        return action.shows

    def _child(self, action: Action) -> str:
        """A record below this one, which the action is to reach, too."""
        child = self.samples.make(self.entity)
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
        self.record_id = self.writes.record_id
        with self.truth.unchanged(self.entity, self.record_id):
            arguments = self._arguments(action, {})
            said = self.agent.fail("crm_action", "forbidden", **arguments, confirm=True)
        raise Instead(said.sentence)

    def _prepare(self, action: Action) -> None:
        """Have a record that the action can be done on."""
        empty = [name for name, value in action.state.items() if value is None]
        if empty:
            self.record_id = self.samples.make(self.entity, without=empty)
        else:
            self.record_id = self.writes.record_id
        followed = self.entity.action(action.follows)
        if followed and not action.parts:
            self._prepare(followed)
            self._run(followed, self._params(followed))
        if action.rules:
            self.approvals.make_rule(action.rules)
        values = {name: value for name, value in action.state.items() if value is not None}
        if values:
            self.agent.do("crm_update", entity=self.entity.name, id=self.record_id, data=values)

    def _params(
        self, action: Action, record_id: str = "", *, with_part: bool = True
    ) -> dict[str, Any]:
        """A value for each parameter; a part of the record is made where one is wanted."""
        params = {
            each.name: self._target(each) if each.kind.is_relation else self.samples.value(each)
            for each in action.params
            if not each.alters
        }
        for part in action.parts if with_part else ():
            params[part.name] = self._part(action, part.part_of, record_id or self.record_id)
        return params

    def _target(self, param: Field) -> str:
        if param.to == self.entity.name:
            return self.samples.make(self.entity)
        target = self.samples.target(param)
        if target is None:
            raise Instead(f"There is nothing in {param.to} to name.")
        return target

    def _part(self, action: Action, included: str, record_id: str) -> str:
        """The id of a new part of a record, such as a comment."""
        adds = self._adds(action, included)
        if adds is None:
            # A file that is deleted does not come back with a transaction.
            raise Instead(f"Nothing that can be rolled back adds to {included}.")
        if adds.rules:
            return self._approval(action, adds, adds.rules, record_id)
        before = {row["id"] for row in self.truth.parts(self.entity, record_id, included)}
        self._run(adds, self._params(adds, record_id), record_id)
        after = self.truth.parts(self.entity, record_id, included)
        return str(next(row["id"] for row in after if row["id"] not in before))

    def _adds(self, action: Action, included: str) -> Action | None:
        """The action that adds what this one changes."""
        adding = (each for each in self.entity.actions if each.adds == included)
        return self.entity.action(action.follows) or next(adding, None)

    def _approval(
        self, action: Action, asking: Action, rules: ApprovalRules, record_id: str
    ) -> str:
        other = self.approvals.make_rule(rules)
        if action.by_another:
            return self.approvals.request_of_colleague(self.agent, asking, record_id, other)
        return self.approvals.request(self.agent, asking, record_id)

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
        for entity in self.runner.catalogue.entities:
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
        bad = [(param, value) for param in action.params for value in self._bad(action, param)]
        with self.truth.unchanged(self.entity, self.record_id):
            for param, value in bad:
                arguments = self._arguments(action, {**params, param.name: value})
                self.agent.fail("crm_action", **arguments, confirm=True)

    def _bad(self, action: Action, param: Field) -> Iterator[str]:
        if param.kind.is_relation:
            yield from self.writes.bad_targets(param)
        elif param.part_of:
            yield from ("not-an-id", str(uuid4()))
            if self._adds(action, param.part_of):
                yield self._part(action, param.part_of, self.samples.make(self.entity))

    def _update(self, effect: ValueEffect) -> None:
        self.record_id = self.writes.record_id
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
        demanded = self.entity.field(effect.demands)
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
