"""Read cells: every tool that asks for nothing but an entity, and what can go wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import uuid4

from bottlecrm_mcp.catalogue.model import ASSIGNEES, CUSTOM_FIELDS, Entity, Field, Kind
from bottlecrm_mcp.doctor.acceptance.agent import Wrong
from bottlecrm_mcp.doctor.acceptance.ground_truth import same
from bottlecrm_mcp.doctor.acceptance.runner import Runner, Trial, Work
from bottlecrm_mcp.gateway.shared.folding import folded, same_phone
from bottlecrm_mcp.tools.arguments import custom_fields
from bottlecrm_mcp.tools.arguments.filters import operators
from bottlecrm_mcp.tools.searches.one_entity import sortable

LONGEST_TEXT = 60
NONSENSE = "nonsense"
# What finds the others, and whether neither finds what has no value.
OPPOSITES = {"not": ("", False), "gt": ("__lte", True), "lt": ("__gte", True)}


class ReadCells:
    """The trials of one entity that read, on its newest record."""

    def __init__(self, runner: Runner, entity: Entity) -> None:
        self.runner = runner
        self.agent = runner.agent
        self.entity = entity

    def trials(self) -> Iterator[Trial]:
        for what, work in self._all():
            yield Trial(self.entity.name, what, work)

    def _all(self) -> Iterator[tuple[str, Work]]:
        for tool in self.agent.registry.tools:
            needed = {*tool.required, *tool.arguments.keys() & {"id"}}
            if tool.needs != "write" and needed <= {"entity"}:
                yield tool.name, partial(self._plain, tool.name)
        yield "crm_get", self._get
        for included in self.entity.includes:
            yield f"include {included.name}", partial(self._include, included.name)
        for field, operator in _kinds_of_filter(self.entity):
            yield f"filter {field.name} {operator}", partial(self._filter, field, operator)
        for field in _kinds_of_sort(self.entity):
            yield f"sort {field.name}", partial(self._sort, field)
        for field in self._custom_fields():
            yield f"filter {field.name} eq", partial(self._custom, field)
            empty = f"{field.name}__is_empty"
            yield f"filter {field.name} is_empty", partial(self._partition, empty)
            yield f"sort {field.name}", partial(self._sort, field)
        for what, work in self._bad_input():
            yield f"refuse {what}", work

    def _plain(self, tool: str) -> None:
        limit = {"limit": 10} if tool == "crm_search" else {}
        self.agent.do(tool, entity=self.entity.name, **limit)

    def _search(self, **arguments: Any) -> Mapping[str, Any]:
        return self.agent.do("crm_search", entity=self.entity.name, **arguments)

    def _newest(self) -> Mapping[str, Any]:
        return self.runner.samples.newest(self.entity)

    def _read(self, **arguments: Any) -> Mapping[str, Any]:
        record_id = self._newest()["id"]
        return self.agent.do("crm_get", entity=self.entity.name, id=record_id, **arguments)

    def _get(self) -> None:
        if self._read()["record"].get("id") != self._newest()["id"]:
            raise Wrong("It gave another record.")

    def _include(self, name: str) -> None:
        included = self._read(include=[name])[name]
        if len(included["records"]) != included["returned"] or (
            included["returned"] > included["total"]
        ):
            raise Wrong("It counts wrong.")

    def _filter(self, field: Field, operator: str) -> str:
        name = field.name if operator == "eq" else f"{field.name}__{operator}"
        if operator == "is_empty":
            return self._partition(name)
        value = _filter_value(field, self._newest().get(field.name))
        if field.kind is Kind.DATETIME and operator in ("eq", "not") and value:
            value = self._day(value)
        if value is None:
            return f"The record has no {field.name} to try."
        if field.kind.is_relation and not self._is_in_reach(field, value):
            return f"The record's {field.name} is out of this person's reach."
        if operator in OPPOSITES:
            return self._opposite(field.name, operator, value)
        found = self._search(filters={name: value}, fields=[field.name], limit=50)
        if not found["total"]:
            raise Wrong(f"{name}={value!r} does not find the record that has this value.")
        if operator == "eq" and not field.kind.is_relation and field.kind is not Kind.DATETIME:
            wrong = [
                row for row in found["records"] if not _alike(field, value, row.get(field.name))
            ]
            if wrong:
                raise Wrong(f"{name}={value!r} also finds {wrong[0]}.")
        return ""

    def _opposite(self, name: str, operator: str, value: Any) -> str:
        """Those that the operator finds, those of its opposite and those without are all."""
        opposite, leaves_empty = OPPOSITES[operator]
        asked = [{f"{name}__{operator}": value}, {f"{name}{opposite}": value}, {}]
        if leaves_empty:
            asked.append({f"{name}__is_empty": True})
        one, other, everything, *empty = (
            self._search(filters=each, limit=1)["total"] for each in asked
        )
        if one + other + sum(empty) != everything:
            raise Wrong(
                f"{name}__{operator} finds {one}, its opposite {other}, of {everything} records."
            )
        return ""

    def _custom_fields(self) -> list[Field]:
        crm = self.agent.person.crm()
        known = custom_fields.definitions(crm, self.entity)
        names = (f"{custom_fields.PREFIX}{key}" for key in known)
        found = (custom_fields.field_of(crm, self.entity, name) for name in names)
        return [each for each in found if each is not None]

    def _custom(self, field: Field) -> str:
        stored = self._read()["record"].get(CUSTOM_FIELDS, {}).get(field.custom_key)
        if stored in (None, ""):
            return f"The record has no {field.name} to try."
        record_id = self._newest()["id"]
        found = self._search(filters={field.name: stored, "id": record_id}, limit=1)
        if found["total"] != 1:
            raise Wrong(f"{field.name}={stored!r} does not find the record that has this value.")
        return ""

    def _is_in_reach(self, field: Field, record_id: str) -> bool:
        target = self.runner.catalogue.target(field.to)
        return target is None or bool(self.runner.truth.shown(target, record_id))

    def _day(self, moment: str) -> str:
        zone = self.agent.person.crm().clock.zone
        return datetime.fromisoformat(moment).astimezone(zone).date().isoformat()

    def _partition(self, name: str) -> str:
        """The records with a value and those without are all records."""
        empty, filled, everything = (
            self._search(filters=filters, limit=1)["total"]
            for filters in ({name: True}, {name: False}, {})
        )
        if empty + filled != everything:
            raise Wrong(f"{empty} without and {filled} with a value are not {everything}.")
        return ""

    def _sort(self, field: Field) -> None:
        everything = self._search(limit=1)["total"]
        for sort in (field.name, f"-{field.name}"):
            found = self._search(sort=sort, fields=[field.name], limit=50)
            if found["total"] != everything:
                raise Wrong(f"Sorted by {sort} there are {found['total']}, not {everything}.")
            values = [
                _ordered(field, row[field.name]) for row in found["records"] if field.name in row
            ]
            if field.kind.is_ordered and values != sorted(values, reverse=sort.startswith("-")):
                raise Wrong(f"The order of {sort} is wrong.")

    def _bad_input(self) -> Iterator[tuple[str, Work]]:
        name = self.entity.name
        search = partial(self._refused, "crm_search")
        get = partial(self._refused, "crm_get")
        some = str(uuid4())
        yield "an unknown field", partial(search, "unknown_field", entity=name, fields=[NONSENSE])
        yield "an unknown sort", partial(search, "unknown_field", entity=name, sort=NONSENSE)
        for what, filters in self._bad_filters():
            yield what, partial(search, "invalid_filter", entity=name, filters=filters)
        yield "a malformed id", partial(get, "invalid_id", entity=name, id=" ")
        yield "an unknown id", partial(get, "not_found", entity=name, id=str(uuid4()))
        yield "an unknown include", partial(get, "", entity=name, id=some, include=[NONSENSE])
        yield "another organisation's record", self._foreign

    def _bad_filters(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        yield "an unknown filter", {NONSENSE: 1}
        for kind, value in ((Kind.CHOICE, NONSENSE), (Kind.DATETIME, "someday"), (Kind.TEXT, [])):
            field = next((each for each in self.entity.fields if each.kind is kind), None)
            if field is not None:
                yield f"a bad {kind} in a filter", {field.name: value}
        people = self.entity.field(ASSIGNEES)
        if people is not None:
            yield "an unknown person in a filter", {people.name: "nobody@nowhere.example"}

    def _refused(self, tool: str, code: str, **arguments: Any) -> None:
        self.agent.fail(tool, *filter(None, (code,)), **arguments)

    def _foreign(self) -> str:
        foreign = self.runner.truth.foreign_record(self.entity)
        if not foreign:
            return "There is no other organisation with one."
        self._refused("crm_get", "not_found", entity=self.entity.name, id=foreign)
        return ""


def _kinds_of_filter(entity: Entity) -> Iterator[tuple[Field, str]]:
    """One field for each kind and operator."""
    kinds: set[tuple[Kind, str]] = set()
    for field in entity.fields:
        for operator in operators(field):
            if (field.kind, operator) not in kinds and field.listed:
                kinds.add((field.kind, operator))
                yield field, operator


def _kinds_of_sort(entity: Entity) -> Iterator[Field]:
    fields = [each for each in entity.fields if each.listed and each.name in sortable(entity)]
    yield from {field.kind: field for field in reversed(fields)}.values()


def _filter_value(field: Field, value: Any) -> Any:
    """A value of a record, as a filter takes it; None where there is none to try."""
    if field.kind is Kind.RELATIONS:
        return value[0]["id"] if value else None
    if field.kind is Kind.RELATION:
        return value["id"] if value else None
    if field.kind.is_text and value and len(value) > LONGEST_TEXT:
        return None
    return value if value != "" else None


def _alike(field: Field, value: Any, found: Any) -> bool:
    """Whether a filter by this value is to find that one: accents and separators do not count."""
    if field.kind.is_text and isinstance(found, str):
        is_same = folded(value) == folded(found)
        return is_same or (field.kind is Kind.PHONE and same_phone(value, found))
    return same(field, value, found)


def _ordered(field: Field, value: Any) -> Any:
    if field.kind in (Kind.INTEGER, Kind.DECIMAL):
        return Decimal(str(value))
    return datetime.fromisoformat(value) if field.kind is Kind.DATETIME else value
