"""Completion of the arguments of prompts and resource templates."""

from __future__ import annotations

from collections.abc import Iterable

import mcp_types as types

from bottlecrm_mcp.catalogue.model import Catalogue, Entity
from bottlecrm_mcp.gateway.base import RowQuery
from bottlecrm_mcp.tools.arguments.scalars import require_few_words
from bottlecrm_mcp.tools.crm import Crm, label_fields

MOST = 20
MOST_PEOPLE = 1_000


def complete(crm: Crm, params: types.CompleteRequestParams) -> types.Completion:
    """What may stand for what was typed. Raises `ToolError`."""
    name, typed = params.argument.name, params.argument.value
    require_few_words(typed)
    if name == "entity":
        return _matching(crm.catalogue.entity_names, typed)
    entity = entity_of(crm.catalogue, params)
    if entity is None:
        return _matching((), typed)
    if name == "id":
        return _records(crm, entity, typed, ids=True)
    if entity.own:
        return _matching(["me", *_people(crm, entity)], typed)
    return _records(crm, entity, typed)


def entity_of(catalogue: Catalogue, params: types.CompleteRequestParams) -> Entity | None:
    """The entity whose records are looked through."""
    name = params.argument.name
    if name == "id":
        chosen = (params.context.arguments or {}) if params.context else {}
        return catalogue.entity(chosen.get("entity", ""))
    return _completed_from(catalogue, name)


def _completed_from(catalogue: Catalogue, name: str) -> Entity | None:
    """The entity whose records complete this argument of a prompt."""
    arguments = (each for prompt in catalogue.prompts for each in prompt.arguments)
    return next((catalogue.entity(each.entity) for each in arguments if each.name == name), None)


def _matching(values: Iterable[str], typed: str) -> types.Completion:
    found = [value for value in values if typed.lower() in value.lower()]
    return types.Completion(values=found[:MOST], total=len(found), has_more=len(found) > MOST)


def _records(crm: Crm, entity: Entity, typed: str, *, ids: bool = False) -> types.Completion:
    if not crm.may(entity, "read"):
        return _matching((), typed)
    page = crm.page(entity, RowQuery(label_fields(entity), query=typed, limit=MOST))
    values = [row["id"] if ids else crm.label(entity, row) for row in page.rows]
    return types.Completion(values=values, total=page.total, has_more=page.total > len(values))


def _people(crm: Crm, people: Entity) -> list[str]:
    if not crm.may(people, "read"):
        return []
    rows = crm.page(people, RowQuery(people.fields, limit=MOST_PEOPLE)).rows
    return [row["email"] for row in rows]
