"""Completion of the arguments of prompts and resource templates."""

from __future__ import annotations

from collections.abc import Iterable

import mcp_types as types

from bottlecrm_mcp.catalogue.model import Entity
from bottlecrm_mcp.gateway.base import RowQuery
from bottlecrm_mcp.tools.arguments.scalars import require_few_words
from bottlecrm_mcp.tools.crm import Crm, label_fields

MOST = 20
MOST_PEOPLE = 1_000
# The prompts' arguments that name a record, and of which entity.
RECORD_ARGUMENTS = {"account": "accounts"}
PEOPLE_ARGUMENTS = ("owner",)


def complete(crm: Crm, params: types.CompleteRequestParams) -> types.Completion:
    """What may stand for what was typed. Raises `ToolError`."""
    name, typed = params.argument.name, params.argument.value
    require_few_words(typed)
    if name == "entity":
        return _matching(crm.catalogue.entity_names, typed)
    if name == "id":
        chosen = (params.context.arguments or {}) if params.context else {}
        entity = crm.catalogue.entity(chosen.get("entity", ""))
        return _records(crm, entity, typed, ids=True) if entity else _matching((), typed)
    if name in RECORD_ARGUMENTS:
        return _records(crm, crm.entity(RECORD_ARGUMENTS[name]), typed)
    if name in PEOPLE_ARGUMENTS:
        return _matching(["me", *_people(crm)], typed)
    return _matching((), typed)


def _matching(values: Iterable[str], typed: str) -> types.Completion:
    found = [value for value in values if typed.lower() in value.lower()]
    return types.Completion(values=found[:MOST], total=len(found), has_more=len(found) > MOST)


def _records(crm: Crm, entity: Entity, typed: str, *, ids: bool = False) -> types.Completion:
    if not crm.may(entity, "read"):
        return _matching((), typed)
    page = crm.page(entity, RowQuery(label_fields(entity), query=typed, limit=MOST))
    values = [row["id"] if ids else crm.label(entity, row) for row in page.rows]
    return types.Completion(values=values, total=page.total, has_more=page.total > len(values))


def _people(crm: Crm) -> list[str]:
    people = crm.catalogue.entity("people")
    if people is None or not crm.may(people, "read"):
        return []
    rows = crm.page(people, RowQuery(people.fields, limit=MOST_PEOPLE)).rows
    return [row["email"] for row in rows]
