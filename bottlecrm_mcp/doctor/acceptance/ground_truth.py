"""Ground truth: what is really there, by the CRM's own views and by its tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import Any

from django.db import connection, models

from bottlecrm_mcp.catalogue.model import Entity, Field, Kind
from bottlecrm_mcp.conf import mcp_settings
from bottlecrm_mcp.doctor.acceptance.agent import Wrong
from bottlecrm_mcp.doctor.person import Person, in_organisation
from bottlecrm_mcp.gateway.in_process.gateway import model_of
from bottlecrm_mcp.gateway.shared import unpaged_list
from bottlecrm_mcp.gateway.shared.rows import dig, field_value
from bottlecrm_mcp.tools.get import part_rows

MOST_ORGANISATIONS = 20
MOST_RECORDS = 200
MOST_LOOKED_AT = 5


class GroundTruth:
    """Reads past the tools, for comparison."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.entities = mcp_settings().catalogue.entities

    def answer(self, entity: Entity, record_id: str) -> Mapping[str, Any]:
        """The CRM's own detail answer, empty where there is none."""
        reply = self.person.gateway().read(entity.record_path(record_id))
        return reply.data if reply.ok and isinstance(reply.data, Mapping) else {}

    def shown(self, entity: Entity, record_id: str) -> Mapping[str, Any]:
        """The record as the CRM shows it, empty where there is none."""
        if not entity.has_detail:
            listed = unpaged_list.shown(self.person.gateway().read, entity)
            return next((row for row in listed if str(row["id"]) == record_id), {})
        record = dig(self.answer(entity, record_id), entity.detail_key)
        return record if isinstance(record, Mapping) else {}

    def is_listed(self, entity: Entity, record_id: str) -> bool:
        return record_id in self.person.gateway().find(entity, [record_id], ())

    def parts(self, entity: Entity, record_id: str, name: str) -> list[Mapping[str, Any]]:
        """The rows of a list that belongs to the record; and of those that continue it."""
        crm = self.person.crm()
        lists = entity.lists_of(name)
        return [row for each in lists for row in part_rows(crm, entity, each, record_id)]

    def require(self, entity: Entity, record_id: str, asked: Mapping[str, Any]) -> None:
        """Raise `Wrong` unless the record has these values; relations are given as ids."""
        shown = self.shown(entity, record_id)
        if not shown:
            raise Wrong(f"The CRM shows no {entity.singular} {record_id}.")
        wrong = []
        for name, value in asked.items():
            field = entity.field(name)
            if field is None:
                continue
            found = field_value(field, shown)
            if not same(field, value, found):
                wrong.append(f"{name} is {found!r}, not {value!r}")
        if wrong:
            raise Wrong(f"Asked for and not there: {'; '.join(wrong)}.")

    @contextmanager
    def unchanged(self, entity: Entity, record_id: str = "") -> Iterator[None]:
        """Raise `Wrong` if this record is changed within, or records are added or lost."""
        before = self._stored(entity, record_id)
        yield
        after = self._stored(entity, record_id)
        changed = [name for name in before if before[name] != after[name]]
        if changed:
            raise Wrong(f"It changed {', '.join(changed)}.")

    def _stored(self, entity: Entity, record_id: str) -> dict[str, Any]:
        with in_organisation(self.person.caller.org_id):
            stored: dict[str, Any] = _numbers(self.entities)
            if record_id:
                model = model_of(entity)
                record = model._base_manager.filter(pk=record_id).values().first()
                stored |= record or {"the record": None}
                for link in model._meta.many_to_many:
                    ids = model._base_manager.filter(pk=record_id).values_list(link.name)
                    stored[link.name] = sorted(str(each) for (each,) in ids)
        return stored

    @cached_property
    def other_organisations(self) -> list[str]:
        org_model = self._org_model()
        if org_model is None:
            return []
        others = org_model._base_manager.exclude(pk=self.person.caller.org_id).order_by("pk")
        return [str(each) for each in others.values_list("pk", flat=True)[:MOST_ORGANISATIONS]]

    def _org_model(self) -> type[models.Model] | None:
        return _related_model(model_of(self.entities[0]), "org")

    def hidden_record(self, entity: Entity) -> str:
        """The id of a record of the same organisation that this person may not read, or empty."""
        with in_organisation(self.person.caller.org_id):
            newest = model_of(entity)._base_manager.order_by("-created_at")
            ids = [str(each) for each in newest.values_list("pk", flat=True)[:MOST_RECORDS]]
        listed = self.person.gateway().find(entity, ids, ())
        unlisted = [each for each in ids if each not in listed]
        # Lists leave out more than what may not be read; to look at each could take long.
        closed = (each for each in unlisted[:MOST_LOOKED_AT] if not self.shown(entity, each))
        return next(closed, "")

    def foreign_record(self, entity: Entity) -> str:
        """The id of a record of another organisation, empty if there is none."""
        return self._foreign(model_of(entity))

    def foreign_target(self, entity: Entity, field: Field) -> str:
        """The same, of something that this field could point to."""
        target = mcp_settings().catalogue.target(field.to)
        model = model_of(target) if target else _related_model(model_of(entity), field.attribute)
        return self._foreign(model) if model else ""

    def _foreign(self, model: type[models.Model]) -> str:
        for org_id in self.other_organisations:
            with in_organisation(org_id):
                found = model._base_manager.filter(org_id=org_id).values_list("pk").first()
            if found:
                return str(found[0])
        return ""


def _numbers(entities: Sequence[Entity]) -> dict[str, int]:
    """How many records of each entity the session sees, in one statement."""
    count = "SELECT count(*) FROM {}"
    tables = [connection.ops.quote_name(model_of(each)._meta.db_table) for each in entities]
    counts = ", ".join(f"({count.format(table)})" for table in tables)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {counts}")
        row = cursor.fetchone()
    return {
        f"the number of {entity.name}": number for entity, number in zip(entities, row, strict=True)
    }


def _related_model(model: type[models.Model], name: str) -> type[models.Model] | None:
    related = next((each for each in model._meta.get_fields() if each.name == name), None)
    target = related.related_model if related else None
    return target if isinstance(target, type) else None


def same(field: Field, asked: Any, found: Any) -> bool:
    """Whether a shown value is the one that was asked for."""
    if asked in (None, "", [], {}):
        return found in (None, "", [], {})
    if field.kind is Kind.RELATIONS:
        return {each["id"] for each in found or ()} == set(asked)
    if field.kind is Kind.RELATION:
        return bool(found) and found["id"] == asked
    if field.kind is Kind.OBJECTS:
        return len(found or ()) == len(asked) and all(
            _same_parts(field, *pair) for pair in zip(asked, found, strict=True)
        )
    if field.kind is Kind.OBJECT:
        shown = found or {}
        # A whole number may come back as 5.0.
        return all(
            shown.get(key) == value or str(shown.get(key)) == str(value)
            for key, value in asked.items()
        )
    if field.kind is Kind.DECIMAL:
        return _number(asked) == _number(found)
    if field.kind is Kind.DATETIME:
        return _moment(asked) == _moment(found)
    return str(asked).lower() == str(found).lower()


def _moment(value: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(str(value))
    except ValueError:
        return None


def _same_parts(field: Field, asked: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    return all(
        same(part, asked[part.name], found.get(part.name))
        for part in field.parts
        if part.name in asked
    )


def _number(value: Any) -> Decimal | None:
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None
