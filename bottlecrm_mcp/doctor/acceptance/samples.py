"""Sample values: one for every kind of field, and what the CRM demands beyond that."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from itertools import count
from typing import Any

from bottlecrm_mcp.catalogue.model import Access, Entity, Field, Kind
from bottlecrm_mcp.doctor.acceptance.agent import Agent, Instead, Wrong
from bottlecrm_mcp.doctor.person import Person
from bottlecrm_mcp.gateway.base import RowQuery, Subject
from bottlecrm_mcp.tools.arguments import custom_fields
from bottlecrm_mcp.tools.crm import label_fields
from bottlecrm_mcp.tools.errors import complaint

# Days between two fields of which one comes after the other.
LATER = 90


@dataclass
class Sample:
    """`data` as an agent gives it, `expected` the same with ids for names."""

    data: dict[str, Any] = field(default_factory=dict)
    expected: dict[str, Any] = field(default_factory=dict)

    def add(self, name: str, given: Any, expected: Any) -> None:
        self.data[name] = given
        self.expected[name] = expected


class Samples:
    """Values, the records that are made of them, and those that were there already."""

    def __init__(self, person: Person, agent: Agent) -> None:
        self.person = person
        self.agent = agent
        self._made: dict[str, str] = {}
        self._found: dict[str, str | None] = {}
        self._newest: dict[str, Mapping[str, Any]] = {}
        self._custom_fields: dict[str, Mapping[str, Mapping[str, Any]]] = {}
        self._run = secrets.token_hex(3)
        self._numbers = count(1)

    def forget_made(self) -> None:
        """The transaction in which records were made is over."""
        self._made.clear()

    def forget_found(self) -> None:
        """Somebody may have changed what was there."""
        self._found.clear()
        self._newest.clear()
        self._custom_fields.clear()

    def record(self, entity: Entity) -> str:
        """The id of the record that this transaction works on and that others point to."""
        if entity.name not in self._made:
            self._made[entity.name] = self.make(entity)
        return self._made[entity.name]

    def make(self, entity: Entity, *, without: Iterable[str] = ()) -> str:
        """A record with nothing but its own values and what it can't be without; gives its id.

        Past the tools, since its locks are held from here on. Where the CRM lets nobody create one
        it is the newest there is.
        """
        if entity.no_create:
            return str(self.newest(entity)["id"])
        data = self.create(entity, relations=False).data
        body = _body(entity, {name: data[name] for name in data if name not in without})
        path = entity.path_of_create.format(**body)
        reply = self.person.gateway().write("POST", path, body, subject=Subject(entity))
        if not reply.ok or not reply.created_id:
            said = complaint(reply.data)[0]
            raise Wrong(f"No {entity.singular} could be made: {reply.status} {said}".strip())
        return reply.created_id

    def newest(self, entity: Entity) -> Mapping[str, Any]:
        """The newest record that the person finds. Raises `Instead` if there is none."""
        if entity.name not in self._newest:
            found = self.agent.do("crm_search", entity=entity.name, limit=1)["records"]
            if not found:
                raise Instead(f"There are no {entity.name} to try it on.")
            got = self.agent.do("crm_get", entity=entity.name, id=found[0]["id"])
            self._newest[entity.name] = got["record"]
        return self._newest[entity.name]

    def create(self, entity: Entity, *, relations: bool, by_name: bool = False) -> Sample:
        """Every field that a create takes, with relations or with the required ones only."""
        fields = [
            each
            for each in entity.writable_fields
            if relations or each.required or not each.kind.is_relation
        ]
        return self._sample(entity, _compatible(entity, fields, 0), by_name=by_name)

    def update(self, entity: Entity) -> Sample:
        """Other values for every field that an update takes."""
        fields = [each for each in entity.writable_fields if each.access is not Access.CREATE]
        return self._sample(entity, _compatible(entity, fields, -1), other=True)

    def _sample(
        self, entity: Entity, fields: Iterable[Field], *, by_name: bool = False, other: bool = False
    ) -> Sample:
        sample = Sample()
        for each in fields:
            if each.kind.is_relation:
                self._relate(sample, entity, each, by_name)
            elif each.kind is Kind.OBJECT:
                if values := self._custom(entity, other):
                    sample.add(each.name, values, values)
            else:
                value = self.value(each, entity, other=other)
                sample.add(each.name, value, value)
        return sample

    def value(self, field: Field, entity: Entity | None = None, *, other: bool = False) -> Any:
        at = 1 if other else 0
        if field.kind is Kind.CHOICE:
            harmless = _harmless(field, entity)
            return harmless[min(at, len(harmless) - 1)]
        if field.kind is Kind.OBJECTS:
            return [{part.name: self.value(part, other=other) for part in field.parts}]
        if field.kind is Kind.DATE:
            days = 7 + at + (LATER if field.after else 0)
            return (self.person.crm().clock.today + timedelta(days=days)).isoformat()
        if field.kind is Kind.DATETIME:
            # Each later than the one before, so that what begins first ends after that.
            past = self.person.crm().clock.start_of(self._yesterday())
            return (past + timedelta(minutes=next(self._numbers))).isoformat()
        if field.kind.is_text:
            return self._text(field, at)
        return {
            Kind.BOOLEAN: _booleans(field, entity),
            Kind.INTEGER: (5, 6),
            Kind.DECIMAL: ("12.50", "20.25"),
        }[field.kind][at]

    def _yesterday(self) -> date:
        return self.person.crm().clock.today - timedelta(days=1)

    def _text(self, field: Field, at: int) -> str:
        mark = f"{self._run}-{next(self._numbers)}"
        if field.kind is Kind.EMAIL:
            return f"doctor-{mark}@example.com"
        if field.kind is Kind.URL:
            return f"https://example.com/{mark}"
        if field.examples:
            return field.examples[at]
        return f"Doctor {mark} {field.name}"[: field.max_length]

    def _relate(self, sample: Sample, entity: Entity, field: Field, by_name: bool) -> None:
        # A record is not its own parent.
        target = None if field.to == entity.name else self.target(field)
        if target is None:
            return
        given = self._name(field.to, target) if by_name else target
        many = field.kind is Kind.RELATIONS
        sample.add(field.name, [given] if many else given, [target] if many else target)

    def _name(self, to: str, record_id: str) -> str:
        """A name that finds this record."""
        crm = self.person.crm()
        entity = crm.catalogue.target(to)
        if entity is None or entity.own:
            return self.person.caller.email
        row = crm.find(entity, [record_id], label_fields(entity)).get(record_id, {})
        return crm.label(entity, {"id": record_id, **row})

    def target(self, field: Field) -> str | None:
        """The id of something that exists and that this relation can point to."""
        entity = self.person.crm().catalogue.target(field.to)
        if entity is None:
            return None
        if entity.own:
            return self.person.caller.profile_id
        if self._may_make(entity):
            return self.record(entity)
        if field.to not in self._found:
            self._found[field.to] = self._look_up(entity)
        return self._found[field.to]

    def _may_make(self, entity: Entity) -> bool:
        """Whether it is served, and this person may create one."""
        is_served = entity in self.person.crm().catalogue.entities
        is_allowed = self.person.caller.is_admin or not entity.admin_writes
        return is_served and is_allowed and not entity.no_create

    def _look_up(self, entity: Entity) -> str | None:
        rows = self.person.crm().page(entity, RowQuery(label_fields(entity), limit=1)).rows
        return str(rows[0]["id"]) if rows else None

    def _custom(self, entity: Entity, other: bool) -> dict[str, Any]:
        crm = replace(self.person.crm(), custom_fields=self._custom_fields)
        found = custom_fields.definitions(crm, entity)
        return {key: self._custom_value(each, other) for key, each in found.items()}

    def _custom_value(self, definition: Mapping[str, Any], other: bool) -> Any:
        if options := custom_fields.option_values(definition):
            return options[-1 if other else 0]
        kinds = {"number": Kind.INTEGER, "checkbox": Kind.BOOLEAN, "date": Kind.DATE}
        kind = kinds.get(str(definition.get("field_type")), Kind.TEXT)
        return self.value(Field(str(definition["key"]), kind), other=other)


def _body(entity: Entity, data: Mapping[str, Any]) -> dict[str, Any]:
    """The body of a request that writes these values."""
    body: dict[str, Any] = {}
    for each in entity.writable_fields:
        if each.name in data:
            body |= dict.fromkeys((each.body_name, *each.copied_to), data[each.name])
    return body


def _harmless(field: Field, entity: Entity | None) -> list[str]:
    """The choices without an effect, which anybody may give."""
    marked = {*_marked(field, entity), *field.admin_values}
    return [each for each in field.choices if each not in marked]


def _booleans(field: Field, entity: Entity | None) -> tuple[bool, bool]:
    """Two values without an effect, which anybody may give."""
    marked = {*_marked(field, entity), *field.admin_values}
    if True in marked:
        return (False, False)
    return (True, field.name == "is_active" or False in marked)


def _marked(field: Field, entity: Entity | None) -> set[str | bool]:
    effects = entity.value_effects if entity else ()
    return {each.value for each in effects if each.field == field.name and each.given is None}


def _compatible(entity: Entity, fields: Iterable[Field], keep: int) -> list[Field]:
    """Without those that only go with another value; of those that exclude each other, one."""
    others = set(entity.exclusive) - set(entity.exclusive[keep:][:1])
    dropped = {*others, *(each.demands for each in entity.value_effects)}
    return [each for each in fields if each.name not in dropped]
