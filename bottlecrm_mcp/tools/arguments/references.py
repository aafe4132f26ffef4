"""References to records: what a caller may write wherever a relation is meant.

Every reference is looked up as the caller before anything is sent, because the CRM drops ids that
it does not know without a word.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from bottlecrm_mcp.catalogue.model import Entity, Field, Kind
from bottlecrm_mcp.gateway.base import Condition, NotAvailable, Refused, RowQuery
from bottlecrm_mcp.gateway.shared.folding import folded, in_order, words_of
from bottlecrm_mcp.gateway.shared.rows import dig
from bottlecrm_mcp.tools.arguments.scalars import is_id, require_few_words
from bottlecrm_mcp.tools.crm import Crm, label_fields
from bottlecrm_mcp.tools.errors import NOTHING_CHANGED, ToolError, nearest

ME = "me"
MOST_CANDIDATES = 5
# A list that comes whole is looked through whole.
MOST_LISTED = 100_000
MOST_REFERENCES = 100
# Words of a name that are tried as where the last name begins, or looked for on their own.
MOST_TRIED = 5


class Reference(NamedTuple):
    """A record that was meant, as it is echoed; `note` says what is special about it."""

    id: str
    name: str
    note: str = ""

    def as_dict(self) -> dict[str, str]:
        note = {"note": self.note} if self.note else {}
        return {"id": self.id, "name": self.name, **note}


def record_meant(crm: Crm, entity: Entity, value: str) -> str:
    """The id of the record that the argument `id` means: the id itself, or a name.

    Raises `ToolError`: with candidates where several have the name, the nearest where none has.
    """
    if is_id(value):
        return value.lower()
    if not value.strip():
        raise ToolError(
            "invalid_id",
            f"{value!r} is not an id of a {entity.singular}.",
            hint=f"Ids are UUIDs; find the record with crm_search on {entity.name}.",
        )
    # As a whole: a part of a name may be one record's today, and another's tomorrow.
    record_id = References(crm, exact=True).resolve(entity.name, value).id
    crm.meant.append(record_id)
    return record_id


def require_another(
    entity: Entity, record_id: str, fields: Iterable[Field], body: Mapping[str, Any]
) -> None:
    """Raises `ToolError` where one of these fields would lead from the record to itself."""
    for field in fields:
        is_alike = field.kind is Kind.RELATION and field.to == entity.name
        if is_alike and body.get(field.body_name) == record_id:
            raise ToolError(
                "invalid_value",
                f"{field.name}: this is the {entity.singular} itself.",
                hint=f"{NOTHING_CHANGED} Give another one.",
            )


class References:
    """Looks up references for one tool call; each of them, and each list of names, at most once.

    `unchecked` are the ids that were taken as given, since the token may not look them up. Where no
    name is `exact`, the beginnings of words will do. `most` is how many may be looked up.
    """

    def __init__(self, crm: Crm, *, exact: bool = False, most: int = MOST_REFERENCES) -> None:
        self.crm = crm
        self.exact = exact
        self.unchecked: list[str] = []
        self.most = self._left = most
        self._resolved: dict[tuple[str, str], Reference | ToolError] = {}
        self._rows: dict[str, Sequence[Mapping[str, Any]]] = {}
        self._named_in: dict[tuple[str, str], list[tuple[Reference, list[str]]]] = {}

    def resolve_field(self, field: Field, value: Any) -> Reference | list[Reference] | None:
        """One reference for a relation, a list for a many-valued one; None clears it."""
        if field.kind is Kind.RELATION:
            return None if value is None else self.resolve(field.to, value)
        if value is None:
            return []
        values = value if isinstance(value, list) else [value]
        return list(dict.fromkeys(self.resolve(field.to, each) for each in values))

    def resolve(self, target: str, value: Any) -> Reference:
        """What `value` refers to: an id, `{"id": …}`, a name, an e-mail address or "me"."""
        if isinstance(value, Mapping):
            value = value.get("id")
        if not isinstance(value, str) or not value.strip():
            raise ToolError("invalid_value", "Give an id or a name.")
        value = value.strip()
        known = self._resolved.get((target, value))
        if known is None:
            try:
                known = self._looked_up(target, value)
            except ToolError as problem:
                known = problem
            self._resolved[target, value] = known
        if isinstance(known, ToolError):
            raise known
        return known

    def _looked_up(self, target: str, value: str) -> Reference:
        require_few_words(value)
        self._left -= 1
        if self._left < 0:
            raise ToolError("invalid_value", f"One call can refer to {self.most} records at most.")
        own = self.crm.catalogue.own_id_of(target)
        if own and value.lower() == ME:
            return self._me(own)
        entity, key = self.crm.catalogue.looked_up_in(target)
        if entity is None:
            raise ToolError("not_supported", f"{target} can't be looked up.")
        if is_id(value) and not self.crm.may(entity, "read"):
            self.unchecked.append(value.lower())
            return Reference(value.lower(), "")
        self._require_may_look_up(entity)
        if not entity.paged:
            return self._listed(entity, key, value)
        return self._record(entity, value)

    def _me(self, which: str) -> Reference:
        caller = self.crm.caller
        own: str = getattr(caller, which)
        if not own:
            raise ToolError(
                "not_supported",
                "This token lacks the scope profile:read, so it is not known who 'me' is.",
                hint="Give the person's id, e-mail or name.",
            )
        return Reference(own, caller.name)

    def _listed(self, entity: Entity, key: str, value: str) -> Reference:
        """One of a list that comes whole, by its id or any of its names."""
        named = self._named(entity, key)
        for reference, _ in named:
            if reference.id == value.lower():
                return reference
        exact = [ref for ref, names in named if _is_one_of(value, names)]
        matches = exact
        if not (exact or self.exact):
            matches = [ref for ref, names in named if _begins(value, names)]
        if len(matches) == 1:
            return matches[0]
        if matches:
            ids = {ref.id for ref in matches}
            candidates = [
                {**ref.as_dict(), **_detail(names)} for ref, names in named if ref.id in ids
            ]
            raise ambiguous(entity.singular, value, candidates)
        everything = [name for _, names in named for name in names]
        raise _unknown(entity.singular, value, nearest(value, everything, MOST_CANDIDATES))

    def _named(self, entity: Entity, key: str) -> Sequence[tuple[Reference, list[str]]]:
        """Every record of a list that comes whole, with its names."""
        if (entity.name, key) not in self._named_in:
            self._named_in[entity.name, key] = [
                (Reference(row[key], self.crm.label(entity, row)), _names(entity, row))
                for row in self._whole(entity)
            ]
        return self._named_in[entity.name, key]

    def _require_may_look_up(self, entity: Entity) -> None:
        if not self.crm.may(entity, "read"):
            raise ToolError(
                "insufficient_scope",
                f"This token lacks the scope {entity.resource}:read, so no {entity.singular} can "
                "be looked up by name.",
                hint="Give the id.",
            )

    def _whole(self, entity: Entity) -> Sequence[Mapping[str, Any]]:
        if entity.name not in self._rows:
            query = RowQuery(entity.fields, limit=MOST_LISTED)
            self._rows[entity.name] = self.crm.page(entity, query).rows
        return self._rows[entity.name]

    def known(self, target: str, ids: Sequence[str]) -> set[str]:
        """Those of these ids that the caller can look up, all where the token may not look."""
        entity, key = self.crm.catalogue.looked_up_in(target)
        if entity is None or not ids or not self.crm.may(entity, "read"):
            return set(ids)
        if not entity.paged:
            return {reference.id for reference, _ in self._named(entity, key)}
        return set(self.crm.find(entity, ids, ()))

    def keys(self, field: Field, ids: Sequence[str]) -> list[str]:
        """What a create takes instead of these ids."""
        target = self.crm.catalogue.target(field.to)
        if not ids or target is None:
            return []
        return [row[field.created_by_key] for row in self._whole(target) if row["id"] in ids]

    def _record(self, entity: Entity, value: str) -> Reference:
        if is_id(value):
            return self._by_id(entity, value.lower())
        return self._by_name(entity, value)

    def _by_id(self, entity: Entity, record_id: str) -> Reference:
        found = self.crm.find(entity, [record_id], label_fields(entity))
        row = found.get(record_id)
        if row is None:
            row = dig(self.crm.detail(entity, record_id), entity.detail_key)
        return Reference(record_id, self.crm.label(entity, row))

    def _by_name(self, entity: Entity, name: str) -> Reference:
        columns = tuple(
            field
            for field in entity.fields
            if field.name in entity.columns or field in label_fields(entity)
        )
        query = RowQuery(columns, query=name, limit=MOST_CANDIDATES + 1, similar=MOST_CANDIDATES)
        page = self.crm.page(entity, query)
        rows = {row["id"]: row for row in page.rows}
        if page.total > len(rows):
            # The newest that hold these words may lack the one that is called just so.
            rows |= {row["id"]: row for row in self._called(entity, columns, name)}
        named = [(Reference(key, self.crm.label(entity, row)), row) for key, row in rows.items()]
        exact = [ref for ref, row in named if _is_one_of(name, _exact_names(ref, row))]
        if len(exact) == 1:
            return exact[0]
        if len(named) == 1:
            only, row = named[0]
            if not self.exact and _begins(name, _exact_names(only, row)):
                return only
            # The words are somewhere in it: near, but not what was said.
            raise _unknown(entity.singular, name, [only.name])
        if named:
            told_apart = [
                {"id": ref.id, "name": ref.name, **_telling(row)}
                for ref, row in named
                if not exact or ref in exact
            ]
            raise ambiguous(entity.singular, name, told_apart)
        alike = [self.crm.label(entity, row) for row in page.similar]
        raise _unknown(entity.singular, name, alike or self._near(entity, columns, name))

    def _called(
        self, entity: Entity, columns: tuple[Field, ...], name: str
    ) -> list[Mapping[str, Any]]:
        """Records of exactly this name, as far as they can be asked for."""
        by_name = {field.name: field for field in columns}
        words = in_order(name).split()
        found: list[Mapping[str, Any]] = []
        for group in entity.label:
            for cut in _cuts(len(words)) if len(group) == 2 else (len(words),):
                parts = (" ".join(words[:cut]), " ".join(words[cut:]))
                conditions = tuple(
                    Condition(by_name[key], "eq", part)
                    for key, part in zip(group, parts, strict=False)
                )
                query = RowQuery(columns, conditions=conditions, limit=MOST_CANDIDATES + 1)
                with suppress(NotAvailable, Refused):
                    found += self.crm.gateway.page(entity, query).rows
        return found

    def _near(self, entity: Entity, columns: tuple[Field, ...], name: str) -> list[str]:
        found: list[str] = []
        for word in [each for each in name.split() if len(each) > 2][:MOST_TRIED]:
            page = self.crm.page(entity, RowQuery(columns, query=word[:4], limit=20))
            found += [self.crm.label(entity, row) for row in page.rows]
        return nearest(name, dict.fromkeys(found), MOST_CANDIDATES) if found else []


def _cuts(words: int) -> range:
    """After how many words of a name the last name may begin."""
    return range(1, min(words, MOST_TRIED + 1))


def _names(entity: Entity, row: Mapping[str, Any]) -> list[str]:
    return [str(row[name]) for group in entity.label for name in group if row.get(name)]


def _detail(names: Sequence[str]) -> dict[str, str]:
    mail = next((name for name in names if "@" in name), "")
    return {"email": mail} if mail else {}


def _exact_names(reference: Reference, row: Mapping[str, Any]) -> list[str]:
    names = (reference.name, row.get("email"), row.get("title"), row.get("invoice_title"))
    return [str(each) for each in names if each]


def is_called(reference: Reference, name: str) -> bool:
    """Whether this is its whole name, in any case, with any accents and in either order."""
    return name.strip().lower() == ME or _is_one_of(name, [reference.name])


def _is_one_of(name: str, names: Sequence[str]) -> bool:
    meant = {folded(name.strip()), folded(in_order(name.strip()))}
    return any(folded(each) in meant for each in names)


def _begins(value: str, names: Sequence[str]) -> bool:
    """Whether each word of `value` begins a word of one of the names."""
    words = words_of(value)
    return any(
        all(any(part.startswith(word) for part in words_of(name)) for word in words)
        for name in names
    )


def _telling(row: Mapping[str, Any]) -> dict[str, Any]:
    """What tells this record from others of its name: a few short values."""
    told: dict[str, Any] = {}
    for key, value in row.items():
        if key != "id" and isinstance(value, str | int | float | dict):
            told[key] = value["name"] if isinstance(value, dict) and "name" in value else value
    return dict(list(told.items())[:4])


def ambiguous(singular: str, value: str, candidates: Sequence[Mapping[str, Any]]) -> ToolError:
    """The error of a name that several records have."""
    return ToolError(
        "ambiguous",
        f"More than one {singular} matches {value!r}.",
        candidates=candidates[:MOST_CANDIDATES],
        hint="Give the id of the one that is meant.",
    )


def _unknown(singular: str, value: str, near: Sequence[str]) -> ToolError:
    hint = f"Nearest: {', '.join(near)}." if near else ""
    return ToolError("not_found", f"No {singular} matches {value!r}.", hint=hint)
