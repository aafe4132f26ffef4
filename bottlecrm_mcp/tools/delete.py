"""crm_delete: delete a record, once a person has confirmed it."""

from __future__ import annotations

from typing import Any

from bottlecrm_mcp.gateway.base import Condition, RowQuery
from bottlecrm_mcp.tools.confirmation.confirm import Change, Confirmation, require_confirmation
from bottlecrm_mcp.tools.crm import Crm, judged_again, require_id
from bottlecrm_mcp.tools.errors import ToolError, raise_for, unsent_warnings


@judged_again
def crm_delete(
    crm: Crm, *, entity: str, id: str, confirm: bool = False, confirmation: str = ""
) -> dict[str, Any]:
    deleted = crm.entity(entity)
    record_id = require_id(deleted, id)
    if deleted.no_delete:
        raise ToolError("not_supported", deleted.no_delete)
    crm.require_scope(deleted, "write")
    crm.require_scope(deleted, "read", ", without which there is no preview to confirm")
    watched = crm.gateway.watch(deleted, record_id)
    record = crm.record(deleted, record_id)
    name = crm.label(deleted, record)
    if held := _related(crm, deleted.held_by, record_id):
        raise ToolError(
            "not_supported",
            f"The CRM keeps {deleted.singular} {name!r} because of its {_counted(held)}.",
        )
    change = Change(
        "crm_delete",
        {"entity": deleted.name, "id": record_id},
        deleted.delete_effects,
        (deleted.delete_consequence,),
        record,
    )
    shown = {key: record[key] for key in deleted.columns if key in record}
    details: dict[str, Any] = {"record": {"id": record_id, "name": name, **shown}}
    if with_it := _related(crm, deleted.deletes_with, record_id):
        details["deleted_with_it"] = with_it
    require_confirmation(crm, change, Confirmation(confirm, confirmation), details)
    reply = crm.gateway.write("DELETE", deleted.written_at(record_id), watched=watched)
    raise_for(reply, f"{deleted.singular} {name!r}", wrote=True)
    result: dict[str, Any] = {
        "entity": deleted.name,
        "id": record_id,
        "deleted": True,
        "name": name,
    }
    if deleted.kept_after_delete and crm.gateway.find(deleted, [record_id], ()):
        result |= {"deleted": False, "kept": deleted.kept_after_delete}
    if warnings := unsent_warnings(reply.unsent):
        result["warnings"] = warnings
    return result


def _related(crm: Crm, relations: tuple[tuple[str, str], ...], record_id: str) -> dict[str, int]:
    """How many records of each entity point here, of those that the caller can see."""
    totals = {}
    for entity_name, field_name in relations:
        # Also those that are not served: they hold the record all the same.
        entity = crm.catalogue.target(entity_name)
        field = entity.field(field_name) if entity else None
        if entity and field and crm.may(entity, "read"):
            by_record = (Condition(field, "eq", record_id),)
            total = crm.page(entity, RowQuery((), conditions=by_record, limit=1)).total
            totals[entity_name] = total
    return {name: total for name, total in totals.items() if total}


def _counted(totals: dict[str, int]) -> str:
    return ", ".join(f"{total} {name}" for name, total in totals.items())
