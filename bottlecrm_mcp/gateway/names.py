"""Names of related records that the REST API shows as bare ids, such as a contact's tags."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bottlecrm_mcp.catalogue.model import Catalogue, Field
from bottlecrm_mcp.gateway.base import Caller, Read
from bottlecrm_mcp.gateway.rows import by_name, dig, name_of

Row = Mapping[str, Any]
# A user is found through their membership.
FOUND_IN = {"users": "people"}


class Names:
    """Fills in the names that a look-up of the CRM has, where the caller may read it."""

    def __init__(self, catalogue: Catalogue, caller: Caller, read: Read) -> None:
        self.catalogue = catalogue
        self.caller = caller
        self.read = read

    def filled_in(self, columns: Iterable[Field], rows: Sequence[Row]) -> list[Row]:
        found = list(rows)
        for field in dict.fromkeys(columns):
            if any(_is_bare(row.get(field.name)) for row in found) and (names := self._of(field)):
                found = [_named(field, row, names) for row in found]
        return found

    def _of(self, field: Field) -> Mapping[str, str]:
        lookup = self.catalogue.lookup(FOUND_IN.get(field.to, field.to))
        if lookup is None or not lookup.path or not self.caller.may(lookup.resource, "read"):
            return {}
        reply = self.read(lookup.path, {})
        rows = dig(reply.data, lookup.rows) or () if reply.ok else ()
        key = "user_details.id" if field.to == "users" else "id"
        return {str(dig(row, key)): name_of(row) for row in rows}


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
