"""crm_delete: delete a record or several, once a person has confirmed it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from bottlecrm_mcp.catalogue.model import Entity
from bottlecrm_mcp.gateway.base import (
    EarlierWrite,
    Page,
    Subject,
    Watched,
    WriteKey,
    WrittenBefore,
)
from bottlecrm_mcp.tools.arguments.references import record_meant
from bottlecrm_mcp.tools.bulk.records import Several, one_meant, records_meant
from bottlecrm_mcp.tools.bulk.run import change_several
from bottlecrm_mcp.tools.confirmation.confirm import Change, Confirmation, way_back_shown
from bottlecrm_mcp.tools.confirmation.deleted_with_it import deleted_with_it, related
from bottlecrm_mcp.tools.crm import (
    Crm,
    judged_again,
    known_as,
    stored,
    untrusted_shown,
    write_key,
)
from bottlecrm_mcp.tools.errors import ToolError, raise_for, unsent_warnings
from bottlecrm_mcp.tools.prepared import Prepared, WriteResult, confirmed
from bottlecrm_mcp.tools.schemas import (
    CONFIRMABLE,
    CONFIRMING,
    ENTITY,
    FLAG,
    IDEMPOTENCY_KEY,
    LIST,
    SEVERAL,
    TEXT,
    WHICH,
)
from bottlecrm_mcp.tools.tool import Tool


@judged_again
def crm_delete(
    crm: Crm,
    *,
    entity: str,
    id: str | None = None,
    ids: Sequence[str] | None = None,
    filters: Mapping[str, Any] | None = None,
    confirm: bool = False,
    confirmation: str = "",
    idempotency_key: str = "",
) -> dict[str, Any]:
    deleted = crm.entity(entity)
    if deleted.no_delete:
        raise ToolError("not_supported", deleted.no_delete)
    crm.require_scope(deleted, "write")
    crm.require_scope(deleted, "read", ", without which there is no preview to confirm")
    given = Confirmation(confirm, confirmation)
    arguments = {"entity": deleted.name}
    one = one_meant(id, ids, filters)
    if one is None:
        several = Several(
            "crm_delete",
            deleted,
            arguments,
            "delete",
            lambda each, _: _prepared(crm, deleted, each),
            with_dependents=True,
            way_back=deleted.delete_way_back,
        )
        meant = records_meant(crm, several, ids, filters, idempotency_key)
        return change_several(crm, meant, given)
    record_id = record_meant(crm, deleted, one)
    arguments["id"] = record_id
    key, earlier = write_key(crm, deleted, idempotency_key, "crm_delete", arguments)
    if earlier is not None:
        return _repeated(deleted, record_id, earlier)
    try:
        return confirmed(crm, _prepared(crm, deleted, record_id), given, key)
    except WrittenBefore as meanwhile:
        return _repeated(deleted, record_id, meanwhile.earlier)


def _prepared(crm: Crm, deleted: Entity, record_id: str) -> Prepared:
    watched = crm.watch(deleted, record_id, with_dependents=True)
    record = crm.state(deleted, record_id)
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

    def require_possible() -> dict[str, Any]:
        if refusal := crm.gateway.refused_deletion(path):
            raise_for(refusal, subject, wrote=True)
        return {}

    details |= way_back_shown(deleted.delete_way_back)
    write = partial(_written, crm, deleted, record_id, name, watched)
    return Prepared(change, details, write, name, watched=watched, only_shown=require_possible)


def _written(
    crm: Crm,
    deleted: Entity,
    record_id: str,
    name: str,
    watched: Watched | None,
    key: WriteKey | None,
) -> WriteResult:
    reply = crm.gateway.write(
        "DELETE",
        deleted.written_at(record_id),
        subject=Subject(deleted, record_id),
        key=key,
        watched=[watched],
        effects=deleted.delete_effects,
    )
    raise_for(reply, f"{deleted.singular} {name!r}", wrote=True)
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
    if untrusted_shown(deleted, {"name": name}):
        result["untrusted"] = ["name"]
    if warnings := unsent_warnings(reply.unsent):
        result["warnings"] = warnings
    return WriteResult(result)


def _repeated(entity: Entity, record_id: str, earlier: EarlierWrite) -> dict[str, Any]:
    """The answer to a call that was made before under its key."""
    answer = {"entity": entity.name, "id": record_id, "deleted": True, "repeated": True}
    if entity.delete_way_back:
        answer["way_back"] = entity.delete_way_back
    if warnings := unsent_warnings(earlier.unsent):
        answer["warnings"] = warnings
    return answer


def _counted(crm: Crm, held: Mapping[str, Page]) -> str:
    return ", ".join(
        f"{page.total} {_called(crm, name, page.total)}" for name, page in held.items()
    )


def _called(crm: Crm, name: str, total: int) -> str:
    entity = crm.catalogue.target(name)
    return entity.singular if entity and total == 1 else name


DELETE = Tool(
    name="crm_delete",
    title="Delete records",
    description="Delete a record or several. Without confirm=true it returns a preview.",
    run=crm_delete,
    arguments={"entity": ENTITY, **WHICH, **CONFIRMING, "idempotency_key": IDEMPOTENCY_KEY},
    required=("entity",),
    result={
        "entity": TEXT,
        "id": TEXT,
        "deleted": FLAG,
        "name": TEXT,
        "untrusted": LIST,
        "warnings": LIST,
        **SEVERAL,
        **CONFIRMABLE,
    },
    needs="write",
    destructive=True,
    idempotent=True,
)
