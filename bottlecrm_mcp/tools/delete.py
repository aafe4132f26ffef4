"""crm_delete: delete a record, once a person has confirmed it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bottlecrm_mcp.gateway.base import Condition, Page, RowQuery
from bottlecrm_mcp.tools.arguments.references import record_meant
from bottlecrm_mcp.tools.confirmation.confirm import Change, Confirmation, require_confirmation
from bottlecrm_mcp.tools.crm import Crm, judged_again, label_fields, stored
from bottlecrm_mcp.tools.errors import ToolError, raise_for, unsent_warnings
from bottlecrm_mcp.tools.schemas import (
    CONFIRMABLE,
    CONFIRMING,
    ENTITY,
    FLAG,
    RECORD_ID,
    TEXT,
    a_list,
)
from bottlecrm_mcp.tools.tool import Tool

# Of what goes with a record: so many are known by id when it is confirmed, of all their number.
MOST_BOUND = 50


@judged_again
def crm_delete(
    crm: Crm, *, entity: str, id: str, confirm: bool = False, confirmation: str = ""
) -> dict[str, Any]:
    deleted = crm.entity(entity)
    if deleted.no_delete:
        raise ToolError("not_supported", deleted.no_delete)
    crm.require_scope(deleted, "write")
    crm.require_scope(deleted, "read", ", without which there is no preview to confirm")
    record_id = record_meant(crm, deleted, id)
    watched = crm.gateway.watch(deleted, record_id)
    record = crm.record(deleted, record_id)
    name = crm.label(deleted, record)
    if held := _totals(_related(crm, deleted.held_by, record_id)):
        raise ToolError(
            "not_supported",
            f"The CRM keeps {deleted.singular} {name!r} because of its {_counted(crm, held)}.",
        )
    for entity_name, _ in deleted.deletes_with:
        if related := crm.catalogue.target(entity_name):
            crm.require_scope(
                related, "read", f", and a deleted {deleted.singular} takes those along"
            )
    with_it = _related(crm, deleted.deletes_with, record_id)
    change = Change(
        "crm_delete",
        {"entity": deleted.name, "id": record_id},
        deleted.delete_effects,
        (deleted.delete_consequence,),
        {
            **stored(deleted, record),
            "deleted_with_it": {name: vars(page) for name, page in with_it.items()},
        },
    )
    shown = {key: record[key] for key in deleted.columns if key in record}
    details: dict[str, Any] = {"record": {"id": record_id, "name": name, **shown}}
    if with_it:
        details["deleted_with_it"] = _totals(with_it)
    path, subject = deleted.written_at(record_id), f"{deleted.singular} {name!r}"

    def require_possible() -> None:
        if refusal := crm.gateway.refused_deletion(path):
            raise_for(refusal, subject, wrote=True)

    given = Confirmation(confirm, confirmation)
    require_confirmation(crm, change, given, details, require_possible)
    reply = crm.gateway.write("DELETE", path, watched=watched)
    raise_for(reply, subject, wrote=True)
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


def _related(crm: Crm, relations: tuple[tuple[str, str], ...], record_id: str) -> dict[str, Page]:
    """The records of each entity that point here, of those that the caller can see."""
    found = {}
    for entity_name, field_name in relations:
        # Also those that are not served: they hold the record all the same.
        entity = crm.catalogue.target(entity_name)
        field = entity.field(field_name) if entity else None
        if entity and field and crm.may(entity, "read"):
            by_record = (Condition(field, "eq", record_id),)
            query = RowQuery(
                label_fields(entity), conditions=by_record, limit=MOST_BOUND, exact=True
            )
            found[entity_name] = crm.page(entity, query)
    return {name: page for name, page in found.items() if page.total}


def _totals(related: Mapping[str, Page]) -> dict[str, int]:
    return {name: page.total for name, page in related.items()}


def _counted(crm: Crm, totals: Mapping[str, int]) -> str:
    return ", ".join(f"{total} {_called(crm, name, total)}" for name, total in totals.items())


def _called(crm: Crm, name: str, total: int) -> str:
    entity = crm.catalogue.target(name)
    return entity.singular if entity and total == 1 else name


DELETE = Tool(
    name="crm_delete",
    title="Delete a record",
    description=(
        "Delete a record. Without confirm=true nothing is deleted and a preview is returned."
    ),
    run=crm_delete,
    arguments={"entity": ENTITY, "id": RECORD_ID, **CONFIRMING},
    required=("entity", "id"),
    result={
        "entity": TEXT,
        "id": TEXT,
        "deleted": FLAG,
        "name": TEXT,
        "warnings": a_list(TEXT),
        **CONFIRMABLE,
    },
    needs="write",
    destructive=True,
    idempotent=True,
)
