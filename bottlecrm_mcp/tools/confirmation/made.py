"""What the CRM makes of a record, such as an account of a lead: told before it is confirmed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bottlecrm_mcp.catalogue.model import Entity, Made
from bottlecrm_mcp.gateway.base import Condition, NotAvailable, RowQuery
from bottlecrm_mcp.gateway.shared.rows import EMPTY
from bottlecrm_mcp.one_line import OwnWords
from bottlecrm_mcp.tools.confirmation.effects import Marked
from bottlecrm_mcp.tools.crm import Crm, label_fields

NEW = OwnWords("new")
THERE = OwnWords("there already, and is used")
# Whoever is no administrator sees a part of the records, and the CRM looks through all.
NEW_AS_FAR_AS_SEEN = OwnWords("new, unless there is one already that this person cannot see")

Record = Mapping[str, Any]


def made_details(crm: Crm, marked: Iterable[Marked], record: Record) -> dict[str, Any]:
    """`makes` and `not_carried_over` of a preview; nothing where nothing is made."""
    makes = [made for each in marked for made in each.makes if _is_made(made, record)]
    if not makes:
        return {}
    told: dict[str, Any] = {"makes": {}}
    lost: dict[str, Any] = {}
    for made in makes:
        if entity := crm.catalogue.target(made.entity):
            told["makes"][entity.singular] = _made(crm, entity, made, record)
            lost |= {name: record[name] for name in made.lost if record.get(name) not in EMPTY}
    return {**told, **({"not_carried_over": lost} if lost else {})}


def _is_made(made: Made, record: Record) -> bool:
    return not made.if_any or any(record.get(name) not in EMPTY for name in made.if_any)


def _made(crm: Crm, entity: Entity, made: Made, record: Record) -> dict[str, Any]:
    name = _name(made, record)
    found = _found(crm, entity, made, record.get(made.found_in) if made.found_in else name)
    if found:
        return {"name": crm.label(entity, found), "it_is": THERE, "id": found["id"]}
    # The CRM takes a 0 for nothing said.
    copied = {there: record[here] for there, here in made.values if record.get(here)}
    is_known = not made.found_by or crm.caller.is_admin
    return {
        "name": name,
        "it_is": NEW if is_known else NEW_AS_FAR_AS_SEEN,
        **copied,
        **dict(made.fixed),
    }


def _name(made: Made, record: Record) -> str:
    groups = (
        " ".join(str(record[key]) for key in group if record.get(key)) for group in made.named
    )
    names = [name for name in groups if name]
    return made.joined.join(names) if made.joined else next(iter(names), "")


def _found(crm: Crm, entity: Entity, made: Made, value: Any) -> Record | None:
    """The record that the CRM takes instead, if the caller sees it."""
    field = entity.field(made.found_by)
    if field is None or not value or not crm.may(entity, "read"):
        return None
    query = RowQuery(label_fields(entity), conditions=(Condition(field, "eq", value),), limit=1)
    try:
        return next(iter(crm.gateway.page(entity, query).rows), None)
    except NotAvailable:
        return None
