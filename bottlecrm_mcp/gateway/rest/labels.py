"""Labels of related records that the REST API shows as bare ids, such as a contact's tags."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bottlecrm_mcp.catalogue.model import Catalogue, Field
from bottlecrm_mcp.gateway.base import Caller, Read, Refused
from bottlecrm_mcp.gateway.shared import unpaged_list
from bottlecrm_mcp.gateway.shared.rows import by_name, label_of

Row = Mapping[str, Any]


class Labels:
    """Fills in the names that a look-up of the CRM has, where the caller may read it."""

    def __init__(self, catalogue: Catalogue, caller: Caller, read: Read) -> None:
        self.catalogue = catalogue
        self.caller = caller
        self.read = read

    def filled_in(self, columns: Iterable[Field], rows: Sequence[Row]) -> list[Row]:
        """The rows, with names looked up for relations that came as an id only."""
        found = list(rows)
        for field in dict.fromkeys(columns):
            if any(_is_bare(row.get(field.name)) for row in found) and (names := self._of(field)):
                found = [_named(field, row, names) for row in found]
        return found

    def _of(self, field: Field) -> Mapping[str, str]:
        entity, key = self.catalogue.looked_up_in(field.to)
        if entity is None or entity.paged or not self.caller.may(entity.resource, "read"):
            return {}
        try:
            rows = unpaged_list.rows(self.read, entity)
        except Refused:
            return {}
        return {row[key]: label_of(entity, row) for row in rows}


def _is_bare(value: Any) -> bool:
    references = value if isinstance(value, list) else [value]
    return any(isinstance(each, Mapping) and set(each) == {"id"} for each in references)


def _named(field: Field, row: Row, names: Mapping[str, str]) -> Row:
    value = row.get(field.name)
    if not _is_bare(value):
        return row
    if isinstance(value, list):
        return {**row, field.name: by_name(_with_name(each, names) for each in value)}
    return {**row, field.name: _with_name(value, names)}


def _with_name(reference: Any, names: Mapping[str, str]) -> dict[str, Any]:
    name = reference.get("name") or names.get(reference["id"])
    return {**reference, "name": name} if name else dict(reference)
