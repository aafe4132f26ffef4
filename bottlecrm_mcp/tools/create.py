"""crm_create: a new record, answered as the CRM saved it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bottlecrm_mcp.catalogue.model import Entity
from bottlecrm_mcp.gateway.base import (
    EarlierWrite,
    Reply,
    WrittenBefore,
)
from bottlecrm_mcp.gateway.shared.rows import dig
from bottlecrm_mcp.tools.arguments.values import Values
from bottlecrm_mcp.tools.confirmation.confirm import Change, Confirmation, require_confirmation
from bottlecrm_mcp.tools.confirmation.effects import (
    effects_of_create,
    given_values,
    kinds_of,
    needs_of,
    require_values,
)
from bottlecrm_mcp.tools.confirmation.made import made_details
from bottlecrm_mcp.tools.confirmation.recipients import mail_details
from bottlecrm_mcp.tools.crm import Crm, write_key
from bottlecrm_mcp.tools.errors import ToolError, unsent_warnings
from bottlecrm_mcp.tools.money import money_warnings
from bottlecrm_mcp.tools.refused_writes import raise_for_write
from bottlecrm_mcp.tools.schemas import (
    ANYTHING,
    CONFIRMABLE,
    CONFIRMING,
    DATA,
    ENTITY,
    FLAG,
    IDEMPOTENCY_KEY,
    SAVED,
    TEXT,
    Schema,
    a_list,
)
from bottlecrm_mcp.tools.searches.duplicates import alike
from bottlecrm_mcp.tools.tool import Tool
from bottlecrm_mcp.tools.truncation import as_told

MOST_DUPLICATES = 3


def crm_create(
    crm: Crm,
    *,
    entity: str,
    data: Mapping[str, Any],
    confirm: bool = False,
    confirmation: str = "",
    idempotency_key: str = "",
) -> dict[str, Any]:
    created = crm.entity(entity)
    if created.no_create:
        raise ToolError("not_supported", created.no_create)
    crm.require_scope(created, "write")
    arguments = {"entity": created.name, "data": dict(data)}
    key, earlier = write_key(crm, created, idempotency_key, "crm_create", arguments)
    if earlier is not None:
        return _repeated(crm, created, earlier)
    values = Values(crm, f"A new {created.singular}").read_create(created, data)
    marked = effects_of_create(created, values.body, crm.clock.today)
    new = {**given_values(created, values.body), **values.understood}
    subject = f"the new {created.singular}"
    require_values(needs_of(marked), new, subject)
    mail = mail_details(crm, created, marked, new, subject)
    made = made_details(crm, marked, new)
    change = Change(
        "crm_create",
        arguments,
        kinds_of(marked),
        tuple(f"create the {created.singular} and {each.consequence}" for each in marked),
        {**mail, **made},
        {**values.body, "named": values.understood},
    )
    details = {"data": {**data, **values.understood}, **made, **mail}
    require_confirmation(crm, change, Confirmation(confirm, confirmation), details)
    duplicates = _possible_duplicates(crm, created, values.body)
    path = created.path_of_create.format(**values.body)
    try:
        reply = crm.gateway.write("POST", path, values.body, creates=created, key=key)
    except WrittenBefore as meanwhile:
        return _repeated(crm, created, meanwhile.earlier)
    raise_for_write(crm, created, reply, subject, values.body)
    record_id = reply.created_id or _id_in(created, reply)
    result: dict[str, Any] = {"entity": created.name}
    if record_id:
        result |= _as_saved(crm, created, record_id)
    else:
        result |= _unidentified(created, reply)
    if duplicates:
        result["possible_duplicates"] = duplicates
    warnings = [*unsent_warnings(reply.unsent), *values.warnings(created, result.get("record"))]
    warnings += money_warnings(crm, created, result.get("record"), new)
    if warnings:
        result["warnings"] = warnings
    return result


def _repeated(crm: Crm, entity: Entity, earlier: EarlierWrite) -> dict[str, Any]:
    """The answer to a call that was made before under its key."""
    made = earlier.record_id
    shown = _as_saved(crm, entity, made) if made else _unidentified(entity, Reply(200))
    answer = {"entity": entity.name, **shown, "repeated": True}
    if warnings := unsent_warnings(earlier.unsent):
        answer["warnings"] = warnings
    return answer


def _as_saved(crm: Crm, entity: Entity, record_id: str) -> dict[str, Any]:
    """The new record, with what the CRM put into it."""
    saved = crm.saved(lambda: crm.record(entity, record_id), entity)
    return {"id": record_id, **as_told(saved)}


def _id_in(entity: Entity, reply: Reply) -> str:
    record = dig(reply.data, entity.detail_key) or reply.data
    return str((record or {}).get("id", ""))


def _unidentified(entity: Entity, reply: Reply) -> dict[str, Any]:
    """What is said of a record that was made, where the CRM did not say which it is."""
    if reply.candidates:
        found = "Those that fit are listed"
    else:
        found = f"It was not found in the list. {entity.hidden_note}".strip().removesuffix(".")
    about: dict[str, Any] = {
        "record_not_shown": f"The {entity.singular} was created, but the CRM did not say its id. "
        f"{found}; do not create it again.",
    }
    if reply.candidates:
        about["candidates"] = [dict(each) for each in reply.candidates]
    return about


def _possible_duplicates(crm: Crm, entity: Entity, body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Records that look like the new one, a few of them."""
    if not crm.may(entity, "read"):
        return []
    found = alike(crm, entity, body, MOST_DUPLICATES)
    return [{key: each[key] for key in ("id", "name", "same")} for each in found]


ONCE: Schema = {
    **IDEMPOTENCY_KEY,
    "description": "Your id for this call: repeated within 24 hours, it is done once.",
}

CREATE = Tool(
    name="crm_create",
    title="Create a record",
    description="Create a record. Answers with it as saved, and names possible duplicates.",
    run=crm_create,
    arguments={"entity": ENTITY, "data": DATA, **CONFIRMING, "idempotency_key": ONCE},
    required=("entity", "data"),
    result={
        "entity": TEXT,
        "id": TEXT,
        "record": SAVED,
        "untrusted": a_list(TEXT),
        "possible_duplicates": a_list(ANYTHING),
        "warnings": a_list(TEXT),
        "notes": a_list(TEXT),
        "repeated": FLAG,
        **CONFIRMABLE,
    },
    needs="write",
)
