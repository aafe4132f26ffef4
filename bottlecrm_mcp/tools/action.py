"""crm_action: what an entity can do beyond create, read, update and delete."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from bottlecrm_mcp.catalogue.model import Action, Entity
from bottlecrm_mcp.gateway.base import WrittenBefore
from bottlecrm_mcp.tools.actions.concerned import record_acted_on
from bottlecrm_mcp.tools.actions.prepare import prepared_action
from bottlecrm_mcp.tools.actions.run import answer_again, answer_of
from bottlecrm_mcp.tools.arguments.references import record_meant
from bottlecrm_mcp.tools.arguments.values import Values
from bottlecrm_mcp.tools.bulk.records import Several, one_meant, records_meant
from bottlecrm_mcp.tools.bulk.run import change_several
from bottlecrm_mcp.tools.confirmation.confirm import Confirmation
from bottlecrm_mcp.tools.crm import Crm, judged_again, write_key
from bottlecrm_mcp.tools.errors import ToolError, suggest
from bottlecrm_mcp.tools.prepared import confirmed
from bottlecrm_mcp.tools.schemas import (
    ANYTHING,
    CONFIRMABLE,
    CONFIRMING,
    ENTITY,
    IDEMPOTENCY_KEY,
    LIST,
    SEVERAL,
    TEXT,
    WHICH,
    an_object,
    text,
)
from bottlecrm_mcp.tools.tool import Tool


@judged_again
def crm_action(
    crm: Crm,
    *,
    entity: str,
    action: str,
    id: str | None = None,
    ids: Sequence[str] | None = None,
    filters: Mapping[str, Any] | None = None,
    params: Mapping[str, Any] | None = None,
    confirm: bool = False,
    confirmation: str = "",
    idempotency_key: str = "",
) -> dict[str, Any]:
    acted_on = crm.entity(entity)
    chosen = _action(acted_on, action)
    crm.require_scope(acted_on, "write")
    if chosen.admin_only and not crm.caller.is_admin:
        raise ToolError("forbidden", f"Only an administrator may {chosen.name} {acted_on.name}.")
    given = dict(params or {})
    arguments = {"entity": acted_on.name, "action": chosen.name, "params": given}
    confirming = Confirmation(confirm, confirmation)
    prepare = partial(prepared_action, crm, acted_on, chosen, given)
    one = one_meant(id, ids, filters)
    if one is None:
        if chosen.upload:
            raise ToolError("invalid_arguments", f"{chosen.name} takes one record: give its id.")
        several = Several(
            "crm_action",
            acted_on,
            arguments,
            chosen.name,
            prepare,
            with_dependents=chosen.takes_all,
            way_back=chosen.way_back,
        )
        meant = records_meant(crm, several, ids, filters, idempotency_key)
        return change_several(crm, meant, confirming)
    record_id = record_meant(crm, acted_on, one)
    if chosen.upload:
        return _address_for_file(crm, acted_on, chosen, record_id, given)
    arguments["id"] = record_id
    key, earlier = write_key(crm, acted_on, idempotency_key, "crm_action", arguments)
    if earlier is not None:
        return answer_again(crm, acted_on, chosen, record_id, earlier.unsent)
    try:
        return confirmed(crm, prepare(record_id), confirming, key)
    except WrittenBefore as meanwhile:
        return answer_again(crm, acted_on, chosen, record_id, meanwhile.earlier.unsent)


def _address_for_file(
    crm: Crm, entity: Entity, action: Action, record_id: str, given: Mapping[str, Any]
) -> dict[str, Any]:
    before = record_acted_on(crm, entity, action, record_id)
    name = crm.label(entity, {"id": record_id, **before})
    values = Values(crm, f"{action.name} on {name!r}").read_params(action.params, given)
    if crm.files is None:
        raise ToolError(
            "not_supported",
            "Files can't be attached by this connection; the CRM's pages take them.",
        )
    offer = crm.files.upload(entity, record_id, action, values.body["file_name"])
    return answer_of(entity, action, record_id, {"upload": offer}, ())


def _action(entity: Entity, name: str) -> Action:
    found = entity.action(name)
    if found is not None:
        return found
    if name.endswith("_comment") and entity.no_comments:
        raise ToolError("not_supported", entity.no_comments)
    names = [each.name for each in entity.actions]
    raise ToolError(
        "unknown_action", f"{entity.name} have no action {name!r}. {suggest(name, names)}"
    )


ACTION = Tool(
    name="crm_action",
    title="Run an action",
    description=(
        "Convert a lead, comment, send or cancel an invoice and so on; list_actions lists "
        "them. What can't be undone or mails a customer returns a preview until confirm=true."
    ),
    run=crm_action,
    arguments={
        "entity": ENTITY,
        **WHICH,
        "action": text("The action's name, from list_actions."),
        "params": an_object("Parameters of the action, from list_actions."),
        **CONFIRMING,
        "idempotency_key": IDEMPOTENCY_KEY,
    },
    required=("entity", "action"),
    result={
        "entity": TEXT,
        "id": TEXT,
        "action": TEXT,
        "result": ANYTHING,
        "warnings": LIST,
        **SEVERAL,
        **CONFIRMABLE,
    },
    needs="write",
    destructive=True,
    outward=True,
)
