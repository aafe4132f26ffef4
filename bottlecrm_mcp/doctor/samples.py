"""Values to write: one for every kind of field, and what the CRM demands beyond that."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import count
from typing import Any, NamedTuple

from bottlecrm_mcp.catalogue.model import Entity, Field, Kind
from bottlecrm_mcp.doctor.person import Person
from bottlecrm_mcp.gateway.base import RowQuery
from bottlecrm_mcp.tools import custom_fields
from bottlecrm_mcp.tools.crm import label_fields

# Texts of which the CRM demands a form, by the end of the field's name.
FORMS = {
    "phone": ("+1 555 010 0123", "+1 555 010 0456"),
    "country": ("US", "DE"),
    "postcode": ("10115", "10117"),
    "website": ("https://example.com", "https://example.org"),
}
# Fields of which one at most may be set.
EITHER = {"tasks": ("account", "opportunity", "case", "lead")}
# Fields that an update of a sample leaves: their other value is not everybody's to give.
LEFT = {"macros": ("scope",)}
# Days later than others, so that a period has a length.
LATER = {"period_end": 90}
# Fields that stand for a state with rules of its own: tried through actions and effects, not here.
LEFT_OUT = {
    "cases": ("closed_on", "is_active"),
    "solutions": ("is_published",),
}


class Target(NamedTuple):
    """Something to point to: its id, and a name that finds it."""

    id: str
    name: str


@dataclass
class Sample:
    """`data` as an agent gives it, `expected` the same with ids for names."""

    data: dict[str, Any] = field(default_factory=dict)
    expected: dict[str, Any] = field(default_factory=dict)

    def add(self, name: str, given: Any, expected: Any) -> None:
        self.data[name] = given
        self.expected[name] = expected


class Samples:
    def __init__(self, person: Person) -> None:
        self.person = person
        self.records: dict[str, Target] = {}
        self._looked_up: dict[str, Target | None] = {}
        self._run = secrets.token_hex(3)
        self._numbers = count(1)

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
        left = LEFT.get(entity.name, ())
        fields = [
            each
            for each in entity.writable_fields
            if each.access != "create only" and each.name not in left
        ]
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
            days = 7 + at + LATER.get(field.name, 0)
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
        for ending, forms in FORMS.items():
            if field.name.endswith(ending):
                return forms[at]
        return f"Doctor {mark} {field.name}"[: field.max_length]

    def _relate(self, sample: Sample, entity: Entity, field: Field, by_name: bool) -> None:
        target = self.target(field)
        # A record is not its own parent.
        if target is None or target == self.records.get(entity.name):
            return
        given = target.name if by_name else target.id
        many = field.kind is Kind.RELATIONS
        sample.add(field.name, [given] if many else given, [target.id] if many else target.id)

    def target(self, field: Field) -> Target | None:
        """Something that exists and that this relation can point to."""
        if field.to == "people":
            return Target(self.person.caller.profile_id, self.person.caller.email)
        if field.to in self.records:
            return self.records[field.to]
        if field.to not in self._looked_up:
            self._looked_up[field.to] = self._look_up(field.to)
        return self._looked_up[field.to]

    def _look_up(self, name: str) -> Target | None:
        crm = self.person.crm()
        entity = crm.catalogue.target(name)
        if entity is None:
            return None
        rows = crm.page(entity, RowQuery(label_fields(entity), limit=1)).rows
        return Target(rows[0]["id"], crm.label(entity, rows[0])) if rows else None

    def _custom(self, entity: Entity, other: bool) -> dict[str, Any]:
        found = custom_fields.definitions(self.person.crm(), entity)
        return {key: self._custom_value(each, other) for key, each in found.items()}

    def _custom_value(self, definition: Mapping[str, Any], other: bool) -> Any:
        if options := custom_fields.option_values(definition):
            return options[-1 if other else 0]
        kinds = {"number": Kind.INTEGER, "checkbox": Kind.BOOLEAN, "date": Kind.DATE}
        kind = kinds.get(str(definition.get("field_type")), Kind.TEXT)
        return self.value(Field(str(definition["key"]), kind), other=other)


def _harmless(field: Field, entity: Entity | None) -> list[str]:
    """The choices without an effect."""
    marked = _marked(field, entity)
    return [each for each in field.choices if each not in marked]


def _booleans(field: Field, entity: Entity | None) -> tuple[bool, bool]:
    if True in _marked(field, entity):
        return (False, False)
    return (True, field.name == "is_active")


def _marked(field: Field, entity: Entity | None) -> set[str | bool]:
    effects = entity.value_effects if entity else ()
    return {each.value for each in effects if each.field == field.name and each.given is None}


def _compatible(entity: Entity, fields: Iterable[Field], keep: int) -> list[Field]:
    either = EITHER.get(entity.name, ())
    dropped = {*LEFT_OUT.get(entity.name, ()), *either} - set(either[keep:][:1])
    return [each for each in fields if each.name not in dropped]
