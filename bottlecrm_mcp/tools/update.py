"""crm_update: change fields of a record or of several, answered with what changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from bottlecrm_mcp.catalogue.model import Entity, Kind, ValueEffect
from bottlecrm_mcp.gateway.base import EarlierWrite, Subject, Watched, WriteKey, WrittenBefore
from bottlecrm_mcp.gateway.shared.rows import changed_names
from bottlecrm_mcp.tools.arguments.expected import differences, is_same, require_expected
from bottlecrm_mcp.tools.arguments.list_changes import is_list_change, replacements
from bottlecrm_mcp.tools.arguments.references import References, record_meant, require_another
from bottlecrm_mcp.tools.arguments.values import Values, sent_value
from bottlecrm_mcp.tools.bulk.records import Several, one_meant, records_meant
from bottlecrm_mcp.tools.bulk.run import change_several
from bottlecrm_mcp.tools.closing import closed_ahead
from bottlecrm_mcp.tools.confirmation.confirm import Change, Confirmation
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
    write_key,
)
from bottlecrm_mcp.tools.errors import NOTHING_CHANGED, ToolError, unsent_warnings
from bottlecrm_mcp.tools.money import money_warnings
from bottlecrm_mcp.tools.prepared import Prepared, WriteResult, confirmed
from bottlecrm_mcp.tools.refused_writes import raise_for_write
from bottlecrm_mcp.tools.schemas import (
    ANYTHING,
    CHANGES,
    CONFIRMABLE,
    CONFIRMING,
    ENTITY,
    IDEMPOTENCY_KEY,
    LIST,
    SAVED,
    SEVERAL,
    TEXT,
    WHICH,
    an_object,
)
from bottlecrm_mcp.tools.tool import Tool
from bottlecrm_mcp.tools.truncation import as_told, shortened


@judged_again
def crm_update(
    crm: Crm,
    *,
    entity: str,
    data: Mapping[str, Any],
    id: str | None = None,
    ids: Sequence[str] | None = None,
    filters: Mapping[str, Any] | None = None,
    expect: Mapping[str, Any] | None = None,
    confirm: bool = False,
    confirmation: str = "",
    idempotency_key: str = "",
) -> dict[str, Any]:
    updated = crm.entity(entity)
    if updated.no_update:
        raise ToolError("not_supported", updated.no_update)
    crm.require_scope(updated, "write")
    arguments: dict[str, Any] = {"entity": updated.name, "data": dict(data)}
    if expect:
        arguments["expect"] = dict(expect)
    given = Confirmation(confirm, confirmation)
    one = one_meant(id, ids, filters)
    if one is None:
        several = Several(
            "crm_update",
            updated,
            arguments,
            "update",
            lambda each, references: _prepared(crm, updated, each, data, expect, references),
        )
        meant = records_meant(crm, several, ids, filters, idempotency_key)
        return change_several(crm, meant, given)
    record_id = record_meant(crm, updated, one)
    arguments["id"] = record_id
    key, earlier = write_key(crm, updated, idempotency_key, "crm_update", arguments)
    if earlier is not None:
        return _repeated(crm, updated, record_id, earlier)
    try:
        return confirmed(crm, _prepared(crm, updated, record_id, data, expect), given, key)
    except WrittenBefore as meanwhile:
        return _repeated(crm, updated, record_id, meanwhile.earlier)


@dataclass(frozen=True)
class _Read:
    """What is known of an update before it is made."""

    entity: Entity
    record_id: str
    subject: str
    data: Mapping[str, Any]
    values: Values
    given: Mapping[str, Any]
    before: Mapping[str, Any]
    is_readable: bool
    marked: tuple[Marked, ...]
    watched: Watched | None


def _prepared(
    crm: Crm,
    updated: Entity,
    record_id: str,
    data: Mapping[str, Any],
    expect: Mapping[str, Any] | None = None,
    references: References | None = None,
) -> Prepared:
    watched = crm.watch(updated, record_id)
    readable = crm.may(updated, "read")
    before = crm.state(updated, record_id) if readable else {}
    name = crm.label(updated, {"id": record_id, **before})
    subject = f"{updated.singular} {name!r}"
    _require_readable(crm, updated, data, expect)
    if expect:
        require_expected(crm, updated, expect, before, subject, references)
    values = Values(crm, subject, references).read_update(updated, data, before)
    require_another(updated, record_id, updated.writable_fields, values.body)
    given = given_values(updated, values.body)
    if updated.method_of_update(given) == "PUT" and updated.sent_with_updates:
        crm.require_scope(updated, "read", ", without which an update would lose other fields")
    marked = effects_of_update(updated, values.body, before if readable else None, crm.clock.today)
    if marked:
        crm.require_scope(updated, "read", ", without which there is no preview to confirm")
    after = {**before, **given, **values.understood}
    _require_possible(marked, values.body, given, after, subject)
    mail = mail_details(crm, updated, marked, after, subject)
    made = made_details(crm, marked, after)
    record = known_as(crm, updated, record_id, before)
    change = Change(
        "crm_update",
        {"entity": updated.name, "id": record_id, "data": dict(data)},
        kinds_of(marked),
        tuple(each.consequence for each in marked),
        {**stored(updated, before), **mail, **made},
        {**values.body, "named": values.understood},
        untrusted_shown(updated, record),
    )
    shown = {**data, **values.understood}
    read = _Read(
        updated, record_id, subject, data, values, given, before, readable, marked, watched
    )
    differs = differences(updated, given, values.understood, before)
    return Prepared(
        change,
        {"record": record, "data": shown, **made, **mail},
        partial(_written, crm, read),
        name,
        needed=bool(differs or marked),
        differs=differs,
        watched=watched,
    )


def _written(crm: Crm, read: _Read, key: WriteKey | None) -> WriteResult:
    updated, values, before = read.entity, read.values, read.before
    method = updated.method_of_update(read.given)
    sent_again = _sent_again(updated, before) if method == "PUT" else {}
    body = {**sent_again, **values.body}
    path = updated.written_at(read.record_id)
    columns = crm.written_columns(updated)
    reply = crm.gateway.write(
        method,
        path,
        body,
        subject=Subject(updated, read.record_id, columns, before, tuple(read.given)),
        key=key,
        watched=[read.watched],
        effects=kinds_of(read.marked),
    )
    raise_for_write(crm, updated, reply, read.subject, body)
    answer: dict[str, Any] = {
        "entity": updated.name,
        "id": read.record_id,
        **crm.saved(lambda: crm.state_as_written(updated, read.record_id, reply), updated),
    }
    saved = answer["record"]
    changed: dict[str, Any] = {}
    warnings = [*values.warnings(updated, saved), *_unchanged(updated, values, before, saved)]
    if read.is_readable and saved is not None:
        answer.pop("untrusted", None)
        changed = _changes(before, saved)
        answer |= _what_changed(updated, changed, saved)
        warnings += replacements(updated, read.data, before, saved)
        warnings += money_warnings(crm, updated, saved, read.given)
        warnings += closed_ahead(crm, updated, saved, read.given)
        warnings += left_behind(read.marked, before)
    if warnings := [*unsent_warnings(reply.unsent), *warnings]:
        answer["warnings"] = warnings
    return WriteResult(answer, changed)


def _repeated(crm: Crm, entity: Entity, record_id: str, earlier: EarlierWrite) -> dict[str, Any]:
    """The answer to a call that was made before under its key: the record as it is now."""
    saved = crm.saved(lambda: crm.record(entity, record_id), entity)
    answer = {"entity": entity.name, "id": record_id, **as_told(saved), "repeated": True}
    if warnings := unsent_warnings(earlier.unsent):
        answer["warnings"] = warnings
    return answer


def _what_changed(
    entity: Entity, changed: Mapping[str, Any], saved: Mapping[str, Any]
) -> dict[str, Any]:
    """Which record it is, and what of it changed: the rest is as it was."""
    record = shortened(identity(entity, saved))
    shown = as_told({"record": record, "changed": changed})
    outsiders = untrusted_fields(entity, record, changed)
    return {**shown, "untrusted": outsiders} if outsiders else shown


def _sent_again(entity: Entity, record: Mapping[str, Any]) -> dict[str, Any]:
    """What the CRM wants in every PUT, as the record has it."""
    body: dict[str, Any] = {}
    for field in entity.fields:
        if field.name in entity.sent_with_updates:
            shown = sent_value(field, record.get(field.name))
            body |= dict.fromkeys((field.body_name, *field.copied_to), shown)
    return body


# What is said of them, or can't be told by looking at them.
NOT_COMPARED = (Kind.RELATION, Kind.RELATIONS, Kind.OBJECT, Kind.OBJECTS)


def _require_readable(
    crm: Crm, entity: Entity, data: Mapping[str, Any], expect: Mapping[str, Any] | None
) -> None:
    if any(is_list_change(each, data.get(each.name)) for each in entity.writable_fields):
        crm.require_scope(entity, "read", ", without which a list can only be replaced")
    if expect:
        crm.require_scope(entity, "read", ", without which nothing can be expected of a record")


def _require_possible(
    marked: tuple[Marked, ...],
    body: Mapping[str, Any],
    given: Mapping[str, Any],
    after: Mapping[str, Any],
    subject: str,
) -> None:
    _require_alone(marked, body)
    require_values(needs_of(marked), after, subject)
    require_values(demanded_by(marked), given, subject)


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
    return {
        name: {"before": before.get(name), "after": after.get(name)}
        for name in changed_names(before, after)
    }


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
        if field.body_name not in values.body or field.kind in NOT_COMPARED:
            continue
        wanted = values.body[field.body_name]
        same = before.get(field.name) == after.get(field.name)
        if same and not is_same(field, wanted, after.get(field.name)):
            warnings.append(f"The CRM accepted {field.name} but did not change it.")
    return warnings


UPDATE = Tool(
    name="crm_update",
    title="Update records",
    description=(
        "Change fields of a record, or of several after a preview. Answers with what changed, "
        "before and after."
    ),
    run=crm_update,
    arguments={
        "entity": ENTITY,
        **WHICH,
        "data": CHANGES,
        "expect": an_object("field: value that it must still hold."),
        **CONFIRMING,
        "idempotency_key": IDEMPOTENCY_KEY,
    },
    required=("entity", "data"),
    result={
        "entity": TEXT,
        "id": TEXT,
        "record": SAVED,
        "untrusted": LIST,
        "changed": ANYTHING,
        "warnings": LIST,
        "notes": LIST,
        **SEVERAL,
        **CONFIRMABLE,
    },
    needs="write",
    destructive=True,
    idempotent=True,
    outward=True,
)
