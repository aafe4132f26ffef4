"""Records below the one that is acted on, which the action reaches as well."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bottlecrm_mcp.catalogue.model import Action, Entity
from bottlecrm_mcp.gateway.base import Condition, RowQuery, Watched
from bottlecrm_mcp.tools.confirmation.recipients import recipients
from bottlecrm_mcp.tools.crm import Crm
from bottlecrm_mcp.tools.errors import NOTHING_CHANGED, ToolError

MOST_DESCENDANTS = 50


def watched_descendants(
    crm: Crm, entity: Entity, action: Action, record_id: str
) -> tuple[list[dict[str, Any]], dict[str, Watched | None]]:
    """The descendants as they are while each of them is watched."""
    found = descendants(crm, entity, action, record_id)
    watched = {row["id"]: crm.gateway.watch(entity, row["id"]) for row in found}
    return descendants(crm, entity, action, record_id) if found else [], watched


def descendants(crm: Crm, entity: Entity, action: Action, record_id: str) -> list[dict[str, Any]]:
    """The records below this one that the caller sees and the action is still to reach."""
    relation = entity.field(action.descendants)
    if relation is None:
        return []
    names = {*entity.columns, *action.body, action.mails_to}
    columns = tuple(field for field in entity.fields if field.name in names)
    waiting: list[Mapping[str, Any]] = []
    seen, above = {record_id}, [record_id]
    while above:
        conditions = (Condition(relation, "in", tuple(above)),)
        page = crm.page(entity, RowQuery(columns, conditions=conditions, limit=MOST_DESCENDANTS))
        rows = [row for row in page.rows if row["id"] not in seen]
        if page.total > len(page.rows) or len(seen) + len(rows) > MOST_DESCENDANTS + 1:
            raise ToolError(
                "not_supported",
                f"More than {MOST_DESCENDANTS} {entity.name} are below this one.",
                hint=f"{NOTHING_CHANGED} Do it on those that are directly above few.",
            )
        above = [row["id"] for row in rows]
        seen.update(above)
        waiting += [
            row for row in rows if any(row.get(key) != value for key, value in action.body.items())
        ]
    return _named(crm, entity, action, waiting)


def _named(
    crm: Crm, entity: Entity, action: Action, rows: list[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """What a preview says of the records below: what they are, and who is mailed for each."""
    named = [{"id": row["id"], "name": crm.label(entity, row)} for row in rows]
    if field := entity.field(action.mails_to):
        mailed = recipients(crm, field, rows, f"a {entity.singular} below")
        return [{**each, "mailed_to": to} for each, to in zip(named, mailed, strict=True)]
    return named
