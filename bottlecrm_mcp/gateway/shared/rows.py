"""Rows: what an agent needs of a record, scalars as the CRM gives them, relations by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from bottlecrm_mcp.catalogue.model import Entity, Field, Kind, State

NAMES = ("invoice_number", "estimate_number", "name", "title", "invoice_title", "email")
EMPTY: tuple[Any, ...] = (None, "", [], {})


def dig(value: Any, path: str) -> Any:
    """The value at a dotted path of nested objects, or None."""
    for key in path.split(".") if path else ():
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def rows_at(value: Any, path: str) -> list[Mapping[str, Any]]:
    """The rows at a dotted path, gathered from each item where the path leads through a list.

    An object is a row by itself.
    """
    for key in path.split(".") if path else ():
        if isinstance(value, list):
            value = [row for each in value for row in each.get(key) or ()]
        else:
            value = dig(value, key)
    return [value] if isinstance(value, Mapping) else list(value or ())


def holds(state: State, record: Mapping[str, Any], today: date) -> bool:
    """Whether a record is in this state."""
    value = record.get(state.field)
    if state.past:
        return isinstance(value, str) and value < today.isoformat()
    return value in state.values if state.values else value not in EMPTY


def row_of(fields: Iterable[Field], source: Mapping[str, Any]) -> dict[str, Any]:
    """The given fields of a record as the REST API shows it, without what is empty."""
    row: dict[str, Any] = {"id": str(source["id"])} if source.get("id") else {}
    for field in fields:
        value = field_value(field, source)
        # A filter by the record's own id makes that id one of the fields.
        if value not in EMPTY and field.name != "id":
            row[field.name] = value
    return row


def field_value(field: Field, source: Mapping[str, Any]) -> Any:
    """The value as tools show it, from a record as the API gives it."""
    value = dig(source, field.shown_at) if field.shown_at else source.get(field.name)
    if field.kind is Kind.RELATION:
        name = source.get(f"{field.name}_name") or source.get(f"{field.name}_detail")
        return reference(value, name)
    if field.kind is Kind.RELATIONS:
        return by_name(each for each in map(reference, value or ()) if each)
    if field.kind is Kind.OBJECTS:
        keys = ("id", *(part.name for part in field.parts))
        return [without_empty(each, keys) for each in value or ()]
    if field.kind is Kind.OBJECT:
        return without_empty(value or {})
    return value


def changed_names(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """The fields in which two readings of a record differ, apart from the time of the change."""
    names = dict.fromkeys([*before, *after])
    return [name for name in names if name != "updated_at" and before.get(name) != after.get(name)]


def without_empty(value: Mapping[str, Any], keys: Iterable[str] | None = None) -> dict[str, Any]:
    wanted = value.keys() if keys is None else keys
    return {key: value[key] for key in wanted if value.get(key) not in EMPTY}


def part_of(row: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    """The given keys of something that belongs to a record, with relations by name."""
    return {key: _by_name(value) for key, value in without_empty(row, keys).items()}


def _by_name(value: Any) -> Any:
    if isinstance(value, Mapping):
        return reference(value) if "id" in value else without_empty(value)
    return [_by_name(each) for each in value] if isinstance(value, list) else value


def reference(value: Any, name: Any = None) -> dict[str, Any] | None:
    """`{id, name}` of a related record, nested in the answer or an id with a name beside it."""
    if not value:
        return None
    if not isinstance(value, Mapping):
        named = name_of(name) if isinstance(name, Mapping) else name
        return {"id": str(value), **({"name": named} if named else {})}
    return {"id": str(value.get("id", "")), "name": name_of(value)}


def by_name(references: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """In one order whatever way they came, so that two readings of a record can be compared."""
    return sorted(references, key=lambda each: (each.get("name", "").lower(), each["id"]))


def label_of(entity: Entity, record: Mapping[str, Any]) -> str:
    """What a person calls this record of an entity; empty where nothing says so."""
    for group in entity.label:
        if name := " ".join(str(record[each]) for each in group if record.get(each)):
            return name
    return name_of(record)


def name_of(value: Mapping[str, Any]) -> str:
    """What a person calls the record that an API object describes."""
    person = value.get("user_details")
    if isinstance(person, Mapping):
        return str(person.get("name") or person.get("email") or "")
    full = " ".join(str(value[key]) for key in ("first_name", "last_name") if value.get(key))
    return full or next((str(value[key]) for key in NAMES if value.get(key)), "")
