"""crm_delete: delete a record, once a person has confirmed it."""

from __future__ import annotations

from typing import Any

from bottlecrm_mcp.catalogue.model import Effect
from bottlecrm_mcp.tools.confirm import Answer, Change, require_confirmation
from bottlecrm_mcp.tools.crm import Crm, require_id
from bottlecrm_mcp.tools.errors import ToolError, raise_for


def crm_delete(
    crm: Crm, *, entity: str, id: str, confirm: bool = False, confirmation: str = ""
) -> dict[str, Any]:
    deleted = crm.entity(entity)
    record_id = require_id(deleted, id)
    if deleted.no_delete:
        raise ToolError("not_supported", deleted.no_delete)
    record = crm.record(deleted, record_id)
    name = crm.label(deleted, record)
    change = Change(
        "crm_delete",
        {"entity": deleted.name, "id": record_id},
        (Effect.DELETES, Effect.IRREVERSIBLE),
        (deleted.delete_consequence,),
        record,
    )
    shown = {key: record[key] for key in deleted.columns if key in record}
    details = {"record": {"id": record_id, "name": name, **shown}}
    require_confirmation(crm, change, Answer(confirm, confirmation), details)
    reply = crm.gateway.write("DELETE", deleted.record_path(record_id))
    raise_for(reply, f"{deleted.singular} {name!r}", wrote=True)
    return {"entity": deleted.name, "id": record_id, "deleted": True, "name": name}
