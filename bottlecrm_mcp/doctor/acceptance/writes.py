"""Writes, tried: create, update, delete, and the bad input for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any
from uuid import uuid4

from bottlecrm_mcp.catalogue.model import Access, Effect, Entity, Field, Kind
from bottlecrm_mcp.doctor.acceptance.agent import Instead, Wrong
from bottlecrm_mcp.doctor.acceptance.runner import Runner, Trial, Work
from bottlecrm_mcp.gateway.shared.rows import field_value
from bottlecrm_mcp.tools.crm import label_names

NONSENSE = "nonsense"


class WriteCells:
    """The trials of one entity that write, each on a record that is made for it."""

    def __init__(self, runner: Runner, entity: Entity) -> None:
        self.runner = runner
        self.agent = runner.agent
        self.truth = runner.truth
        self.samples = runner.samples
        self.entity = entity

    @property
    def record_id(self) -> str:
        return self.samples.record(self.entity)

    def trials(self) -> Iterator[Trial]:
        for what, work in self._all():
            yield Trial(self.entity.name, what, work, makes=True)

    def _all(self) -> Iterator[tuple[str, Work]]:
        yield "crm_create", partial(self._create, by_name=False)
        yield "create by names", partial(self._create, by_name=True)
        yield "crm_update", self._update
        yield "update to nothing", self._clear
        yield "update of several", self._update_several
        yield "crm_delete", self._delete
        yield "delete unconfirmed", self._delete_unconfirmed
        for what, work in self._bad_input():
            yield f"refuse {what}", work
        for field in self.entity.writable_fields:
            if field.kind.is_relation:
                yield f"refuse bad {field.name} in a create", partial(self._bad_in_create, field)
                if field.access is not Access.CREATE:
                    bad = partial(self._bad_in_update, field)
                    yield f"refuse bad {field.name} in an update", bad

    def _create(self, *, by_name: bool) -> None:
        self._if_offered(self.entity.no_create, "crm_create", data={})
        sample = self.samples.create(self.entity, relations=True, by_name=by_name)
        made = self.agent.do("crm_create", entity=self.entity.name, data=sample.data)
        self._require_id(made)
        self.truth.require(self.entity, made["id"], sample.expected)

    def _require_id(self, made: Mapping[str, Any]) -> None:
        if not made["id"] or made["record"].get("id") != made["id"]:
            raise Wrong("The answer does not hold the record that was made.")

    def _if_offered(self, instead: str, tool: str, **arguments: Any) -> None:
        """Raise `Instead` for what the CRM has no way to do, once the tool has said so."""
        if instead:
            said = self.agent.fail(tool, "not_supported", entity=self.entity.name, **arguments)
            raise Instead(said.sentence)

    def _update(self) -> None:
        self._if_offered(self.entity.no_update, "crm_update", id=self.record_id, data={})
        sample = self.samples.update(self.entity)
        self._change(sample.data)
        self.truth.require(self.entity, self.record_id, sample.expected)

    def _change(self, data: Mapping[str, Any]) -> None:
        arguments = {"entity": self.entity.name, "id": self.record_id, "data": data}
        self.agent.agree("crm_update", **arguments)

    def _update_several(self) -> None:
        """Each gets the value, and the way back brings back what each had."""
        field = self._shareable()
        instead = self.entity.no_update or self.entity.no_create
        if instead or field is None:
            raise Instead(instead or f"No text of two {self.entity.name} can be the same.")
        ids = [self.record_id, self.samples.make(self.entity)]
        before = [self.truth.shown(self.entity, each) for each in ids]
        data = {field.name: self.samples.value(field, self.entity, other=True)}
        arguments = {"entity": self.entity.name, "ids": ids, "data": data}
        updated = self.agent.confirm("crm_update", **arguments)
        for record_id in ids:
            self.truth.require(self.entity, record_id, data)
        for call in updated["way_back"]["calls"]:
            # Of one record, where they differ: that needs none.
            self.agent.agree("crm_update", **call)
        for record_id, shown in zip(ids, before, strict=True):
            had = {field.name: field_value(field, shown)}
            self.truth.require(self.entity, record_id, had)

    def _shareable(self) -> Field | None:
        """A text that is no name, which may have to be one record's alone."""
        names = label_names(self.entity)
        return next(
            (
                each
                for each in self.entity.writable_fields
                if each.kind is Kind.TEXT
                and each.access is Access.WRITE
                and not (each.required or each.name in names)
            ),
            None,
        )

    def _clear(self) -> None:
        """Relations can be taken back."""
        if self.entity.no_update:
            raise Instead(self.entity.no_update)
        self._change(self.samples.update(self.entity).data)
        empty: dict[str, Any] = {
            field.name: [] if field.kind is Kind.RELATIONS else None
            for field in self.entity.writable_fields
            if field.kind.is_relation and not field.required and field.access is Access.WRITE
        }
        if not empty:
            raise Instead(f"{self.entity.name} point to nothing that could be taken back.")
        self._change(empty)
        self.truth.require(self.entity, self.record_id, empty)

    def _delete(self) -> None:
        record_id = self.record_id
        arguments = {"entity": self.entity.name, "id": record_id}
        if self.entity.no_delete:
            with self.truth.unchanged(self.entity, record_id):
                said = self.agent.fail("crm_delete", "not_supported", **arguments, confirm=True)
            raise Instead(said.sentence)
        deleted = self.agent.confirm("crm_delete", **arguments)
        if not deleted.get("deleted") or self.truth.is_listed(self.entity, record_id):
            raise Wrong("The record is still there.")
        if Effect.IRREVERSIBLE in self.entity.delete_effects:
            self.agent.fail("crm_get", "not_found", **arguments)

    def _delete_unconfirmed(self) -> None:
        if self.entity.no_delete:
            raise Instead(self.entity.no_delete)
        record_id = self.record_id
        with self.truth.unchanged(self.entity, record_id):
            self.agent.preview("crm_delete", entity=self.entity.name, id=record_id)

    def _bad_input(self) -> Iterator[tuple[str, Work]]:
        create = partial(self._refused, "crm_create")
        update = self._refused_update
        yield "an unknown field in a create", partial(create, data={NONSENSE: 1})
        if any(field.required for field in self.entity.writable_fields):
            yield "an empty create", partial(create, data={})
        yield "an unknown field in an update", partial(update, {NONSENSE: 1})
        yield "an empty update", partial(update, {})
        yield "writes to an unknown id", self._unknown
        for field, value in self._bad_values():
            yield f"a bad {field.kind} in an update", partial(update, {field.name: value})
        yield "an unknown action", self._unknown_action
        yield "writes to another organisation's record", self._foreign
        yield "what is out of reach", self._out_of_reach

    def _unknown(self) -> None:
        unknown = str(uuid4())
        with self.truth.unchanged(self.entity):
            self._fails("crm_update", id=unknown, data=self._harmless())
            self._fails("crm_delete", id=unknown, confirm=True)

    def _unknown_action(self) -> None:
        self._refused("crm_action", id=self.record_id, action=NONSENSE)

    def _refused_update(self, data: Mapping[str, Any]) -> None:
        self._refused("crm_update", id=self.record_id, data=data)

    def _harmless(self) -> dict[str, Any]:
        field = next(each for each in self.entity.writable_fields if each.kind is Kind.TEXT)
        return {field.name: self.samples.value(field, self.entity)}

    def _bad_values(self) -> Iterator[tuple[Field, Any]]:
        """One value for each kind that has a form of its own."""
        bad = {
            Kind.CHOICE: NONSENSE,
            Kind.DATE: "someday",
            Kind.INTEGER: "many",
            Kind.DECIMAL: "a lot",
            Kind.BOOLEAN: "perhaps",
            Kind.TEXT: {"not": "text"},
            Kind.EMAIL: "no address",
            Kind.URL: "no address",
            Kind.OBJECT: {NONSENSE: 1},
        }
        for kind, value in bad.items():
            field = next((each for each in self.entity.writable_fields if each.kind is kind), None)
            if field is not None:
                yield field, value

    def _refused(self, tool: str, *codes: str, **arguments: Any) -> None:
        with self.truth.unchanged(self.entity, str(arguments.get("id", ""))):
            self._fails(tool, *codes, **arguments)

    def _fails(self, tool: str, *codes: str, **arguments: Any) -> None:
        self.agent.fail(tool, *codes, entity=self.entity.name, **arguments)

    def _foreign(self) -> str:
        foreign = self.truth.foreign_record(self.entity)
        return self._closed(foreign) if foreign else "There is no other organisation with one."

    def _out_of_reach(self) -> str:
        hidden = self.truth.hidden_record(self.entity)
        return self._closed(hidden) if hidden else "Nothing of the organisation is out of reach."

    def _closed(self, record_id: str) -> str:
        """Every way to this record is closed."""
        codes = ("not_found", "forbidden", "not_supported")
        closed = partial(self._fails, id=record_id)
        with self.truth.unchanged(self.entity, record_id):
            closed("crm_get", *codes)
            closed("crm_update", *codes, data=self._harmless())
            closed("crm_delete", *codes, confirm=True)
            for action in self.entity.actions:
                closed("crm_action", *codes, action=action.name, confirm=True)
        return ""

    def _bad_in_create(self, field: Field) -> None:
        data = self.samples.create(self.entity, relations=False).data
        with self.truth.unchanged(self.entity):
            for value in self._bad_relations(field):
                self._fails("crm_create", data={**data, field.name: value})

    def _bad_in_update(self, field: Field) -> None:
        record_id = self.record_id
        with self.truth.unchanged(self.entity, record_id):
            for value in self._bad_relations(field):
                self._fails("crm_update", id=record_id, data={field.name: value})

    def _bad_relations(self, field: Field) -> Iterator[Any]:
        for bad in self.bad_targets(field):
            yield [bad] if field.kind is Kind.RELATIONS else bad

    def bad_targets(self, field: Field) -> Iterator[str]:
        """Nothing of that name, nothing of that id, and what belongs to another organisation."""
        yield "not-an-id"
        yield str(uuid4())
        if foreign := self.truth.foreign_target(self.entity, field):
            yield foreign
