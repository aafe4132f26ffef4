"""Duplicates: records that may be of the same person, company or deal as another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from bottlecrm_mcp.catalogue.model import Entity, Field, Kind
from bottlecrm_mcp.gateway.base import (
    Condition,
    Grouping,
    Measure,
    NotAvailable,
    Page,
    Refused,
    RowQuery,
    SummaryQuery,
)
from bottlecrm_mcp.gateway.shared import folding
from bottlecrm_mcp.gateway.shared.folding import OWN_DIGITS, folded, phone_digits
from bottlecrm_mcp.gateway.shared.group_labels import NONE
from bottlecrm_mcp.tools.arguments.references import record_meant
from bottlecrm_mcp.tools.crm import Crm, label_fields, label_names
from bottlecrm_mcp.tools.errors import ToolError
from bottlecrm_mcp.tools.truncation import rows_that_fit, shortened

EVERY = "all"
SPELLED_ALIKE = "name, spelled alike"
NEARLY = "name, nearly"
# Several people of one company are no duplicates, though a new one may be.
COMPANY = ("company_name",)
MOST_GROUPS = 20
MOST_OF_A_GROUP = 5
# Of the values that several records have, those of most; and of their records.
MOST_LOOKED_AT = 50
MOST_ROWS = 200


def search_duplicates(crm: Crm, entity: Entity, of: str, limit: int) -> dict[str, Any]:
    """Likely duplicates of a record, or groups of them where `of` is "all"."""
    crm.require_scope(entity, "read")
    if not entity.identity:
        raise ToolError("not_supported", f"Nothing tells duplicates among {entity.name}.")
    if of.strip().lower() == EVERY:
        groups = _groups(crm, entity, limit)
        records = rows_that_fit([shortened(each) for each in groups])
        return _answer(entity, records, len(groups), f"No two {entity.name} look alike.")
    record_id = record_meant(crm, entity, of)
    record = crm.brief(entity, record_id)
    found = alike(crm, entity, record, limit, but=record_id)
    records = rows_that_fit([shortened(each) for each in found])
    none = f"No other {entity.singular} looks like this one."
    meant = {"id": record_id, "name": crm.label(entity, record)}
    return {
        **_answer(entity, records, len(found), none),
        "filters": {"duplicates_of": meant},
    }


def _answer(
    entity: Entity, records: Sequence[Mapping[str, Any]], total: int, none: str
) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "entity": entity.name,
        "records": list(records),
        "total": total,
        "returned": len(records),
        "notes": ["To judge, not to merge unseen." if records else none],
    }
    if records and any(field.untrusted for field in label_fields(entity)):
        answer["untrusted"] = ["name"]
    return answer


def alike(
    crm: Crm, entity: Entity, record: Mapping[str, Any], most: int, *, but: str = ""
) -> list[dict[str, Any]]:
    """Records that share an e-mail, name, phone or company with this one, a few of them.

    Those whose name is only spelled alike come last; of what people work off, what is open comes
    first. What can't be looked up is left out.
    """
    columns = _columns(entity)
    keys = {names: _key(entity, names, record) for names in _identities(entity)}
    keys = {names: key for names, key in keys.items() if key}
    alternatives = [_same(entity, names, [record[name] for name in names]) for names in keys]
    name = crm.label(entity, record) if label_names(entity) & record.keys() else ""
    found: dict[str, dict[str, Any]] = {}
    with suppress(NotAvailable, Refused):
        rows, similar = _rows(crm, entity, columns, alternatives, most + 1, name)
        for row in rows:
            same = [names for names, key in keys.items() if _key(entity, names, row) == key]
            shared = [name for names in same for name in names]
            found[row["id"]] = _shown(crm, entity, row, *shared)
        for row in similar:
            found.setdefault(row["id"], _shown(crm, entity, row, SPELLED_ALIKE))
    if entity.alike_within and name:
        found = _of_the_same_subject(crm, entity, record, name, found)
    found.pop(but, None)
    return list(found.values())[:most]


def _of_the_same_subject(
    crm: Crm,
    entity: Entity,
    record: Mapping[str, Any],
    name: str,
    found: Mapping[str, dict[str, Any]],
) -> dict[str, dict[str, Any]]:
    """Those found that are not of another account, and what says nearly the same for this one's."""
    own = {each: ids for each in entity.alike_within if (ids := _ids(entity, each, record))}
    kept = {key: row for key, row in found.items() if not _is_of_others(entity, own, row)}
    alternatives = [
        (Condition(field, "in", tuple(sorted(ids))),)
        for each, ids in own.items()
        if (field := entity.field(each))
    ]
    with suppress(NotAvailable, Refused):
        rows, _ = _rows(crm, entity, _columns(entity), alternatives, MOST_ROWS)
        for row in rows:
            if folding.say_nearly_the_same(name, crm.label(entity, row)):
                kept.setdefault(row["id"], _shown(crm, entity, row, NEARLY))
    state = entity.open
    if state is None:
        return kept
    # Sorting keeps the order of equals.
    in_order = sorted(kept.items(), key=lambda item: item[1].get(state.field) not in state.values)
    return dict(in_order)


def _is_of_others(entity: Entity, own: Mapping[str, set[str]], row: Mapping[str, Any]) -> bool:
    """Whether both name accounts or people, and none in common."""
    theirs = {each: ids for each in entity.alike_within if (ids := _ids(entity, each, row))}
    common = [own[each] & theirs[each] for each in own if each in theirs]
    return bool(own and theirs) and not any(common)


def _ids(entity: Entity, name: str, record: Mapping[str, Any]) -> set[str]:
    """What a relation of a record points to, or of the body of one that is made."""
    field = entity.field(name)
    value = record.get(name) or (record.get(field.body_name) if field else None) or ()
    values = value if isinstance(value, list | tuple) else [value]
    return {str(each["id"] if isinstance(each, Mapping) else each) for each in values}


def alike_among(
    entity: Entity, records: Mapping[str, Mapping[str, Any]]
) -> dict[str, list[tuple[str, list[str]]]]:
    """Of each of these records those before it that are alike, and by which fields."""
    found: dict[str, dict[str, list[str]]] = {}
    for names in _identities(entity):
        seen: dict[tuple[str, ...], list[str]] = {}
        for key, record in records.items():
            if names == COMPANY or not (same := _key(entity, names, record)):
                continue
            for other in seen.setdefault(same, []):
                found.setdefault(key, {}).setdefault(other, []).extend(names)
            seen[same].append(key)
    return {key: list(others.items()) for key, others in found.items()}


def _identities(entity: Entity) -> list[tuple[str, ...]]:
    phones = [(each.name,) for each in entity.fields if each.kind is Kind.PHONE]
    return [*entity.identity, *phones]


def _key(entity: Entity, names: Sequence[str], record: Mapping[str, Any]) -> tuple[str, ...]:
    """What two records have in common that are alike by these fields; empty if one has no value."""
    values = [(entity.field(name), str(record.get(name) or "")) for name in names]
    key = tuple(
        phone_digits(value)[-OWN_DIGITS:] if field and field.kind is Kind.PHONE else folded(value)
        for field, value in values
    )
    return key if all(key) else ()


def _columns(entity: Entity) -> tuple[Field, ...]:
    names = {name for group in _identities(entity) for name in group}
    names.update(entity.alike_within)
    if entity.alike_within and entity.open:
        names.add(entity.open.field)
    compared = (each for each in entity.fields if each.name in names and each.listed)
    return tuple(dict.fromkeys((*label_fields(entity), *compared)))


def _same(entity: Entity, names: Sequence[str], values: Sequence[Any]) -> tuple[Condition, ...]:
    pairs = zip(names, values, strict=True)
    return tuple(
        Condition(field, "eq", value) for name, value in pairs if (field := entity.field(name))
    )


def _any_of(
    entity: Entity, names: Sequence[str], several: Sequence[Sequence[Any]]
) -> list[tuple[Condition, ...]]:
    """The same of several records; of one field all values at once, which costs less."""
    field = entity.field(names[0])
    if len(names) == 1 and field and several:
        return [(Condition(field, "in", tuple(value for (value,) in several)),)]
    return [_same(entity, names, values) for values in several]


def _rows(
    crm: Crm,
    entity: Entity,
    columns: tuple[Field, ...],
    alternatives: Sequence[tuple[Condition, ...]],
    most: int,
    name: str = "",
) -> tuple[Sequence[Mapping[str, Any]], Sequence[Mapping[str, Any]]]:
    """The records of which one of the alternatives holds, and those with a name spelled like this.

    All are looked for at once where that can be.
    """
    query = RowQuery(columns, limit=most, counted=False, similar=most)
    if not alternatives:
        # Who only has the words in a name is no duplicate.
        page = crm.gateway.page(entity, replace(query, query=name)) if name else Page((), 0)
        return (), page.similar
    query = replace(query, either=tuple(alternatives), alike=name)
    page = crm.gateway.page(entity, query)
    if not page.limits:
        return page.rows, page.similar
    rows = {row["id"]: row for row in page.rows}
    for each in alternatives[1:]:
        with suppress(NotAvailable):
            page = crm.gateway.page(entity, RowQuery(columns, conditions=each, limit=most))
            rows |= {row["id"]: row for row in page.rows}
    return list(rows.values()), page.similar


def _shown(crm: Crm, entity: Entity, row: Mapping[str, Any], *same: str) -> dict[str, Any]:
    lists = {each.name for each in entity.fields if each.kind is Kind.RELATIONS}
    left_out = label_names(entity) | lists
    others = {name: value for name, value in row.items() if name not in left_out}
    return {**others, "id": row["id"], "name": crm.label(entity, row), "same": list(same)}


def _groups(crm: Crm, entity: Entity, limit: int) -> list[dict[str, Any]]:
    """Groups of records that have the same e-mail, name or phone, the largest first."""
    groups: list[dict[str, Any]] = []
    most = min(limit, MOST_GROUPS)
    for names in _identities(entity):
        if names == COMPANY:
            continue
        shared = _shared(crm, entity, names, most)
        alternatives = _any_of(entity, names, [values for values, _ in shared])
        members: dict[tuple[str, ...], list[dict[str, Any]]] = {}
        rows, _ = _rows(crm, entity, _columns(entity), alternatives, MOST_ROWS)
        for row in rows:
            members.setdefault(_key(entity, names, row), []).append(_shown(crm, entity, row))
        for values, count in shared:
            same = dict(zip(names, values, strict=True))
            rows = members.get(_key(entity, names, same), [])[:MOST_OF_A_GROUP]
            plain = [{key: each[key] for key in each if key != "same"} for each in rows]
            groups.append({"same": list(names), "total": count, "records": plain})
    groups.sort(key=lambda group: -group["total"])
    return groups[:most]


def _shared(
    crm: Crm, entity: Entity, names: Sequence[str], most: int
) -> list[tuple[list[Any], int]]:
    """The values that several records have, folded, and how many have them."""
    fields = [field for name in names if (field := entity.field(name)) is not None]
    groupings = tuple(Grouping(field, folded=True) for field in fields)
    query = SummaryQuery(groupings, (Measure("count"),), limit=MOST_LOOKED_AT, counted=False)
    summary = crm.summarize(entity, query)
    found = [
        ([row[grouping.key] for grouping in groupings], row["count"])
        for row in summary.groups
        if row["count"] > 1
    ]
    return [(values, count) for values, count in found if NONE not in values][:most]
