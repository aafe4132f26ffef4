"""List changes: `{"add": [...], "remove": [...]}` for a field that is a list of relations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bottlecrm_mcp.catalogue.model import Entity, Field, Kind
from bottlecrm_mcp.tools.arguments.references import Reference, References
from bottlecrm_mcp.tools.errors import ToolError

ADD, REMOVE = "add", "remove"


def is_list_change(field: Field, value: Any) -> bool:
    """Whether the value says what changes in the list, rather than what the list is to be."""
    return field.kind is Kind.RELATIONS and isinstance(value, Mapping) and "id" not in value


def changed_list(
    references: References, field: Field, change: Mapping[str, Any], current: Sequence[Any]
) -> list[Reference]:
    """What the list holds after the change. Raises `ToolError` where something is not understood.

    What is in the list already is added, and what is not in it removed, without an error.
    """
    if not change or set(change) - {ADD, REMOVE}:
        raise ToolError(
            "invalid_value", 'Give a list, which replaces, or {"add": [...], "remove": [...]}.'
        )
    held = [Reference(each["id"], each.get("name", "")) for each in current]
    removed = {_meant(references, field, each, held) for each in _values(change.get(REMOVE))}
    added = references.resolve_field(field, change.get(ADD))
    added = added if isinstance(added, list) else []
    if both := removed.intersection(each.id for each in added):
        names = ", ".join(each.name or each.id for each in added if each.id in both)
        raise ToolError("invalid_value", f"{names} can't be added and removed at once.")
    left = {each.id: each for each in (*held, *added) if each.id not in removed}
    return list(left.values())


def replacements(
    entity: Entity, data: Mapping[str, Any], before: Mapping[str, Any], after: Mapping[str, Any]
) -> list[str]:
    """A sentence for each plain list that took something out of the record by replacing."""
    told = []
    for field in entity.writable_fields:
        value = data.get(field.name)
        if field.kind is not Kind.RELATIONS or not value or is_list_change(field, value):
            continue
        kept = {each["id"] for each in after.get(field.name) or ()}
        held = before.get(field.name) or ()
        if gone := [each.get("name") or each["id"] for each in held if each["id"] not in kept]:
            told.append(
                f"{field.name}: the list replaced what was there, so {', '.join(gone)} went. "
                '{"add": [...]} keeps the others.'
            )
    return told


def _values(given: Any) -> list[Any]:
    if given is None:
        return []
    return given if isinstance(given, list) else [given]


def _meant(references: References, field: Field, value: Any, held: Sequence[Reference]) -> str:
    """The id of what is to go: of the list itself first, which may hold what nobody finds."""
    named = value.get("id") if isinstance(value, Mapping) else value
    wanted = str(named).strip().lower()
    here = [each for each in held if wanted in (each.id, each.name.lower())]
    return here[0].id if len(here) == 1 else references.resolve(field.to, value).id
