"""Parts of a record that an action's parameters name: a comment, a line item, a payment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bottlecrm_mcp.catalogue.model import Action, Entity
from bottlecrm_mcp.gateway.shared.rows import part_of
from bottlecrm_mcp.tools.arguments.scalars import is_id
from bottlecrm_mcp.tools.crm import Crm
from bottlecrm_mcp.tools.errors import ToolError
from bottlecrm_mcp.tools.get import part_rows


def parts_meant(
    crm: Crm, entity: Entity, action: Action, record_id: str, params: Mapping[str, Any]
) -> dict[str, Any]:
    """The comment, line item or payment that is meant, by what it is; one of this record's own."""
    found = {}
    for part in action.parts:
        part_id = params.get(part.name)
        if part_id is None and not part.required:
            continue
        kind = part.name.removesuffix("_id")
        rows = _part_rows(crm, entity, record_id, part.part_of) if is_id(part_id) else {}
        if part_id not in rows:
            raise ToolError(
                "not_found",
                f"This {entity.singular} has no {kind.replace('_', ' ')} {part_id!r}.",
                hint=f"crm_get with include=[{part.part_of!r}] lists them.",
            )
        found[kind] = rows[part_id]
    return found


def _part_rows(
    crm: Crm, entity: Entity, record_id: str, list_name: str
) -> dict[str, dict[str, Any]]:
    return {
        str(row.get("id")): part_of(row, part.keys)
        for part in entity.lists_of(list_name)
        for row in part_rows(crm, entity, part, record_id)
    }
