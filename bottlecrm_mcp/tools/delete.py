"""crm_delete: delete a record, once a person has confirmed it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bottlecrm_mcp.gateway.base import Page
from bottlecrm_mcp.tools.arguments.references import record_meant
from bottlecrm_mcp.tools.confirmation.confirm import (
    Change,
    Confirmation,
    require_confirmation,
    way_back_shown,
)
from bottlecrm_mcp.tools.confirmation.deleted_with_it import deleted_with_it, related
from bottlecrm_mcp.tools.crm import Crm, judged_again, known_as, stored, untrusted_shown
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
    watched = crm.gateway.watch(deleted, record_id, with_dependents=True)
    record = crm.record(deleted, record_id)
    name = crm.label(deleted, record)
    if held := related(crm, deleted.held_by, record_id, 1):
        raise ToolError(
            "not_supported",
            f"The CRM keeps {deleted.singular} {name!r} because of its {_counted(crm, held)}.",
        )
    for entity_name, _ in deleted.deletes_with:
        if taken_along := crm.catalogue.target(entity_name):
            crm.require_scope(
                taken_along, "read", f", and a deleted {deleted.singular} takes those along"
            )
    with_it = deleted_with_it(crm, deleted, record_id, watched)
    details = {"record": known_as(crm, deleted, record_id, record), **with_it.details}
    outsiders = untrusted_shown(deleted, details["record"])
    change = Change(
        "crm_delete",
        {"entity": deleted.name, "id": record_id},
        deleted.delete_effects,
        (deleted.delete_consequence,),
        {**stored(deleted, record), "deleted_with_it": with_it.bound},
        untrusted=[*outsiders, *with_it.untrusted],
    )
    path, subject = deleted.written_at(record_id), f"{deleted.singular} {name!r}"

    def require_possible() -> None:
        if refusal := crm.gateway.refused_deletion(path):
            raise_for(refusal, subject, wrote=True)

    details |= way_back_shown(deleted.delete_way_back, deleted.delete_effects)
    given = Confirmation(confirm, confirmation)
    require_confirmation(crm, change, given, details, require_possible)
    reply = crm.gateway.write("DELETE", path, watched=[watched])
    raise_for(reply, subject, wrote=True)
    result: dict[str, Any] = {
        "entity": deleted.name,
        "id": record_id,
        "deleted": True,
        "name": name,
    }
    if deleted.kept_after_delete and crm.gateway.find(deleted, [record_id], ()):
        result |= {"deleted": False, "kept": deleted.kept_after_delete}
    if deleted.delete_way_back:
        result["way_back"] = deleted.delete_way_back
    if "name" in outsiders:
        result["untrusted"] = ["name"]
    if warnings := unsent_warnings(reply.unsent):
        result["warnings"] = warnings
    return result


def _counted(crm: Crm, held: Mapping[str, Page]) -> str:
    return ", ".join(
        f"{page.total} {_called(crm, name, page.total)}" for name, page in held.items()
    )


def _called(crm: Crm, name: str, total: int) -> str:
    entity = crm.catalogue.target(name)
    return entity.singular if entity and total == 1 else name


DELETE = Tool(
    name="crm_delete",
    title="Delete a record",
    description="Delete a record. Without confirm=true it returns a preview.",
    run=crm_delete,
    arguments={"entity": ENTITY, "id": RECORD_ID, **CONFIRMING},
    required=("entity", "id"),
    result={
        "entity": TEXT,
        "id": TEXT,
        "deleted": FLAG,
        "name": TEXT,
        "untrusted": a_list(TEXT),
        "warnings": a_list(TEXT),
        **CONFIRMABLE,
    },
    needs="write",
    destructive=True,
    idempotent=True,
)
