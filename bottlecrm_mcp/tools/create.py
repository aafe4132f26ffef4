"""crm_create: a new record, answered as the CRM saved it, or several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from bottlecrm_mcp.catalogue.model import Effect, Entity
from bottlecrm_mcp.gateway.base import (
    EarlierWrite,
    Reply,
    Subject,
    WriteKey,
    WrittenBefore,
)
from bottlecrm_mcp.gateway.shared.rows import dig, label_of
from bottlecrm_mcp.tools.arguments.references import References
from bottlecrm_mcp.tools.arguments.values import Values
from bottlecrm_mcp.tools.bulk.records import Several, new_records
from bottlecrm_mcp.tools.bulk.run import change_several
from bottlecrm_mcp.tools.closing import closed_ahead
from bottlecrm_mcp.tools.confirmation.confirm import Change, Confirmation
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
from bottlecrm_mcp.tools.prepared import Prepared, WriteResult, confirmed
from bottlecrm_mcp.tools.refused_writes import raise_for_write
from bottlecrm_mcp.tools.schemas import (
    ANYTHING,
    CONFIRMABLE,
    CONFIRMING,
    DATA,
    ENTITY,
    IDEMPOTENCY_KEY,
    LIST,
    MOST_CREATED,
    SAVED,
    SEVERAL,
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
    data: Mapping[str, Any] | None = None,
    records: Sequence[Mapping[str, Any]] | None = None,
    confirm: bool = False,
    confirmation: str = "",
    idempotency_key: str = "",
) -> dict[str, Any]:
    created = crm.entity(entity)
    if created.no_create:
        raise ToolError("not_supported", created.no_create)
    crm.require_scope(created, "write")
    given = Confirmation(confirm, confirmation)
    if (data is None) == (records is None):
        raise ToolError("invalid_arguments", "Give either `data` or `records`.")
    if records is not None and len(records) > 1:
        several = Several(
            "crm_create",
            created,
            {"entity": created.name, "records": [dict(each) for each in records]},
            "create",
            lambda each, references: _prepared(
                crm, created, records[int(each)], references, is_alone=False
            ),
        )
        meant = new_records(crm, several, records, idempotency_key)
        return change_several(crm, meant, given)
    new = dict(records[0] if records else data or {})
    arguments = {"entity": created.name, "data": new}
    key, earlier = write_key(crm, created, idempotency_key, "crm_create", arguments)
    if earlier is not None:
        return _repeated(crm, created, earlier)
    try:
        return confirmed(crm, _prepared(crm, created, new), given, key)
    except WrittenBefore as meanwhile:
        return _repeated(crm, created, meanwhile.earlier)


def _prepared(
    crm: Crm,
    created: Entity,
    data: Mapping[str, Any],
    references: References | None = None,
    *,
    is_alone: bool = True,
) -> Prepared:
    values = Values(crm, f"A new {created.singular}", references).read_create(created, data)
    marked = effects_of_create(created, values.body, crm.clock.today)
    new = {**given_values(created, values.body), **values.understood}
    subject = f"the new {created.singular}"
    require_values(needs_of(marked), new, subject)
    mail = mail_details(crm, created, marked, new, subject)
    made = made_details(crm, marked, new)
    change = Change(
        "crm_create",
        {"entity": created.name, "data": dict(data)},
        kinds_of(marked),
        tuple(f"create the {created.singular} and {each.consequence}" for each in marked),
        {**mail, **made},
        {**values.body, "named": values.understood},
    )
    details = {"data": {**data, **values.understood}, **made, **mail}
    write = partial(_written, crm, created, values, new, change.effects, is_alone)
    return Prepared(change, details, write, label_of(created, new))


def _written(
    crm: Crm,
    created: Entity,
    values: Values,
    new: Mapping[str, Any],
    effects: Sequence[Effect],
    is_alone: bool,
    key: WriteKey | None,
) -> WriteResult:
    subject = f"the new {created.singular}"
    # Those of several were named in the preview.
    duplicates = _possible_duplicates(crm, created, values.body) if is_alone else []
    path = created.path_of_create.format(**values.body)
    record = Subject(created, columns=crm.written_columns(created))
    reply = crm.gateway.write("POST", path, values.body, subject=record, key=key, effects=effects)
    raise_for_write(crm, created, reply, subject, values.body)
    record_id = reply.created_id or _id_in(created, reply)
    result: dict[str, Any] = {"entity": created.name}
    if record_id:
        result |= _as_saved(crm, created, reply, record_id)
    else:
        result |= _unidentified(created, reply)
    if duplicates:
        result["possible_duplicates"] = duplicates
    warnings = [*unsent_warnings(reply.unsent), *values.warnings(created, result.get("record"))]
    warnings += money_warnings(crm, created, result.get("record"), new)
    warnings += closed_ahead(crm, created, result.get("record"), new)
    if warnings:
        result["warnings"] = warnings
    return WriteResult(result)


def _repeated(crm: Crm, entity: Entity, earlier: EarlierWrite) -> dict[str, Any]:
    """The answer to a call that was made before under its key."""
    made = earlier.record_id
    reply = Reply(200)
    shown = _as_saved(crm, entity, reply, made) if made else _unidentified(entity, reply)
    answer = {"entity": entity.name, **shown, "repeated": True}
    if warnings := unsent_warnings(earlier.unsent):
        answer["warnings"] = warnings
    return answer


def _as_saved(crm: Crm, entity: Entity, reply: Reply, record_id: str) -> dict[str, Any]:
    """The new record, with what the CRM put into it."""
    saved = crm.saved(lambda: crm.as_written(entity, record_id, reply), entity)
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
    title="Create records",
    description=(
        "Create a record, or several after a preview. Answers with it as saved, and names possible "
        "duplicates."
    ),
    run=crm_create,
    arguments={
        "entity": ENTITY,
        "data": DATA,
        "records": a_list(
            ANYTHING,
            minItems=1,
            maxItems=MOST_CREATED,
            description="Several, instead of data.",
        ),
        **CONFIRMING,
        "idempotency_key": ONCE,
    },
    required=("entity",),
    result={
        "entity": TEXT,
        "id": TEXT,
        "record": SAVED,
        "untrusted": LIST,
        "possible_duplicates": LIST,
        "warnings": LIST,
        "notes": LIST,
        **SEVERAL,
        **CONFIRMABLE,
    },
    needs="write",
)
