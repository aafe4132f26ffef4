"""crm_update: change fields of a record, answered with what changed."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from bottlecrm_mcp.catalogue.model import Entity, Kind, ValueEffect
from bottlecrm_mcp.gateway.shared.rows import EMPTY
from bottlecrm_mcp.tools.arguments.list_changes import is_list_change, replacements
from bottlecrm_mcp.tools.arguments.references import record_meant
from bottlecrm_mcp.tools.arguments.values import Values, sent_value
from bottlecrm_mcp.tools.confirmation.confirm import Change, Confirmation, require_confirmation
from bottlecrm_mcp.tools.confirmation.effects import (
    Marked,
    demanded_by,
    effects_of_update,
    given_values,
    kinds_of,
    left_behind,
    needs_of,
    require_values,
)
from bottlecrm_mcp.tools.confirmation.made import made_details
from bottlecrm_mcp.tools.confirmation.recipients import mail_details
from bottlecrm_mcp.tools.crm import (
    Crm,
    identity,
    judged_again,
    known_as,
    stored,
    untrusted_fields,
    untrusted_shown,
)
from bottlecrm_mcp.tools.errors import NOTHING_CHANGED, ToolError, unsent_warnings
from bottlecrm_mcp.tools.money import money_warnings
from bottlecrm_mcp.tools.refused_writes import raise_for_write
from bottlecrm_mcp.tools.schemas import (
    ANYTHING,
    CHANGES,
    CONFIRMABLE,
    CONFIRMING,
    ENTITY,
    RECORD_ID,
    SAVED,
    TEXT,
    a_list,
)
from bottlecrm_mcp.tools.tool import Tool
from bottlecrm_mcp.tools.truncation import as_told, shortened


@judged_again
def crm_update(
    crm: Crm,
    *,
    entity: str,
    id: str,
    data: Mapping[str, Any],
    confirm: bool = False,
    confirmation: str = "",
) -> dict[str, Any]:
    updated = crm.entity(entity)
    if updated.no_update:
        raise ToolError("not_supported", updated.no_update)
    crm.require_scope(updated, "write")
    record_id = record_meant(crm, updated, id)
    watched = crm.gateway.watch(updated, record_id)
    readable = crm.may(updated, "read")
    before = crm.record(updated, record_id) if readable else {}
    name = crm.label(updated, {"id": record_id, **before})
    subject = f"{updated.singular} {name!r}"
    if any(is_list_change(each, data.get(each.name)) for each in updated.writable_fields):
        crm.require_scope(updated, "read", ", without which a list can only be replaced")
    values = Values(crm, subject).read_update(updated, data, before)
    given = given_values(updated, values.body)
    method = updated.method_of_update(given)
    if method == "PUT" and updated.sent_with_updates:
        crm.require_scope(updated, "read", ", without which an update would lose other fields")
    known = before if readable else None
    marked = effects_of_update(updated, values.body, known, crm.clock.today)
    if marked:
        crm.require_scope(updated, "read", ", without which there is no preview to confirm")
    _require_alone(marked, values.body)
    after = {**before, **given, **values.understood}
    require_values(needs_of(marked), after, subject)
    require_values(demanded_by(marked), given, subject)
    mail = mail_details(crm, updated, marked, after, subject)
    made = made_details(crm, marked, after)
    change = Change(
        "crm_update",
        {"entity": updated.name, "id": record_id, "data": dict(data)},
        kinds_of(marked),
        tuple(each.consequence for each in marked),
        {**stored(updated, before), **mail, **made},
        {**values.body, "named": values.understood},
        untrusted_shown(updated, known_as(crm, updated, record_id, before)),
    )
    shown = {**data, **values.understood}
    details = {"record": known_as(crm, updated, record_id, before), "data": shown, **made, **mail}
    require_confirmation(crm, change, Confirmation(confirm, confirmation), details)
    repeated = _repeated(updated, before) if method == "PUT" else {}
    body = {**repeated, **values.body}
    reply = crm.gateway.write(method, updated.written_at(record_id), body, watched=[watched])
    raise_for_write(crm, updated, reply, subject, body)
    answer: dict[str, Any] = {
        "entity": updated.name,
        "id": record_id,
        **crm.saved(lambda: crm.record(updated, record_id), updated),
    }
    saved = answer["record"]
    warnings = values.warnings(updated, saved) or _unchanged(updated, values, before, saved)
    if readable and saved is not None:
        answer.pop("untrusted", None)
        answer |= _what_changed(updated, before, saved)
        warnings += replacements(updated, data, before, saved)
        warnings += money_warnings(crm, updated, saved, given)
        warnings += left_behind(marked, before)
    if warnings := [*unsent_warnings(reply.unsent), *warnings]:
        answer["warnings"] = warnings
    return answer


def _what_changed(
    entity: Entity, before: Mapping[str, Any], saved: Mapping[str, Any]
) -> dict[str, Any]:
    """Which record it is, and what of it changed: the rest is as it was."""
    changed = _changes(before, saved)
    record = shortened(identity(entity, saved))
    shown = as_told({"record": record, "changed": changed})
    outsiders = untrusted_fields(entity, record, changed)
    return {**shown, "untrusted": outsiders} if outsiders else shown


def _repeated(entity: Entity, record: Mapping[str, Any]) -> dict[str, Any]:
    """What the CRM wants in every PUT, as the record has it."""
    body: dict[str, Any] = {}
    for field in entity.fields:
        if field.name in entity.sent_with_updates:
            shown = sent_value(field, record.get(field.name))
            body |= dict.fromkeys((field.body_name, *field.copied_to), shown)
    return body


def _require_alone(marked: tuple[Marked, ...], body: Mapping[str, Any]) -> None:
    for each in marked:
        if isinstance(each, ValueEffect) and each.alone and len(body) > 1:
            others = ", ".join(name for name in body if name != each.field)
            raise ToolError(
                "invalid_arguments",
                f"The CRM drops {others} when {each.field} becomes {each.value!r}. Update them "
                f"first, in a call of their own.",
                hint=NOTHING_CHANGED,
            )


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    changed = {}
    for name in dict.fromkeys([*before, *after]):
        if name != "updated_at" and before.get(name) != after.get(name):
            changed[name] = {"before": before.get(name), "after": after.get(name)}
    return changed


def _unchanged(
    entity: Entity,
    values: Values,
    before: Mapping[str, Any],
    after: Mapping[str, Any] | None,
) -> list[str]:
    """Fields that the CRM accepted without a word and left as they were."""
    warnings: list[str] = []
    if after is None:
        return warnings
    for field in entity.writable_fields:
        if field.body_name not in values.body or field.kind.is_relation:
            continue
        wanted = values.body[field.body_name]
        same = before.get(field.name) == after.get(field.name)
        if same and not _means(field.kind, wanted, after.get(field.name)):
            warnings.append(f"The CRM accepted {field.name} but did not change it.")
    return warnings


def _means(kind: Kind, wanted: Any, shown: Any) -> bool:
    if wanted in EMPTY:
        return shown in EMPTY
    if isinstance(wanted, list | dict):
        return True
    if kind in (Kind.INTEGER, Kind.DECIMAL) and shown not in EMPTY:
        return Decimal(str(wanted)) == Decimal(str(shown))
    return str(wanted).strip() == str(shown)


UPDATE = Tool(
    name="crm_update",
    title="Update a record",
    description="Change fields of a record. Answers with what changed, before and after.",
    run=crm_update,
    arguments={
        "entity": ENTITY,
        "id": RECORD_ID,
        "data": CHANGES,
        **CONFIRMING,
    },
    required=("entity", "id", "data"),
    result={
        "entity": TEXT,
        "id": TEXT,
        "record": SAVED,
        "untrusted": a_list(TEXT),
        "changed": ANYTHING,
        "warnings": a_list(TEXT),
        "notes": a_list(TEXT),
        **CONFIRMABLE,
    },
    needs="write",
    destructive=True,
    idempotent=True,
    outward=True,
)
