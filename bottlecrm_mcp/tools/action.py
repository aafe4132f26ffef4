"""crm_action: what an entity can do beyond create, read, update and delete."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from string import Formatter
from typing import Any

from bottlecrm_mcp.catalogue.model import Action, Effect, Entity, Kind
from bottlecrm_mcp.gateway.base import (
    Condition,
    GatewayError,
    Reply,
    RowQuery,
    Subject,
    Watched,
    WriteKey,
    WrittenBefore,
)
from bottlecrm_mcp.gateway.shared.rows import dig, part_of, row_of, without_empty
from bottlecrm_mcp.tools.arguments.references import References, record_meant
from bottlecrm_mcp.tools.arguments.scalars import is_id
from bottlecrm_mcp.tools.arguments.values import Values
from bottlecrm_mcp.tools.bulk.records import Several, one_meant, records_meant
from bottlecrm_mcp.tools.bulk.run import change_several
from bottlecrm_mcp.tools.confirmation.confirm import (
    Change,
    Confirmation,
    digest_of,
    way_back_shown,
)
from bottlecrm_mcp.tools.confirmation.effects import (
    effects_of_action,
    kinds_of,
    left_behind,
    require_undone,
    require_values,
)
from bottlecrm_mcp.tools.confirmation.made import made_details
from bottlecrm_mcp.tools.confirmation.recipients import mail_details, recipients
from bottlecrm_mcp.tools.crm import (
    Crm,
    identity,
    judged_again,
    known_as,
    stored,
    untrusted_shown,
    write_key,
)
from bottlecrm_mcp.tools.errors import (
    NOTHING_CHANGED,
    ToolError,
    raise_for,
    suggest,
    unsent_warnings,
)
from bottlecrm_mcp.tools.get import part_rows
from bottlecrm_mcp.tools.money import untaxed
from bottlecrm_mcp.tools.prepared import Prepared, WriteResult, confirmed
from bottlecrm_mcp.tools.refused_writes import raise_for_write
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

MOST_DESCENDANTS = 50


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
    one = one_meant(id, ids, filters)
    if one is None:
        if chosen.upload:
            raise ToolError("invalid_arguments", f"{chosen.name} takes one record: give its id.")
        several = Several(
            "crm_action",
            acted_on,
            arguments,
            chosen.name,
            lambda each, references: _prepared(crm, acted_on, chosen, each, given, references),
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
        return _repeated(crm, acted_on, chosen, record_id, earlier.unsent)
    try:
        prepared = _prepared(crm, acted_on, chosen, record_id, given)
        return confirmed(crm, prepared, confirming, key)
    except WrittenBefore as meanwhile:
        return _repeated(crm, acted_on, chosen, record_id, meanwhile.earlier.unsent)


@dataclass(frozen=True)
class _Read:
    """What is known of an action before it is run; `below` are the records that it reaches, too."""

    entity: Entity
    action: Action
    record: Mapping[str, str]
    before: Mapping[str, Any]
    params: Mapping[str, Any]
    watched: Sequence[Watched | None]
    below: Sequence[Mapping[str, Any]]
    watched_below: Mapping[str, Watched | None]
    is_untrusted_below: bool
    effects: Sequence[Effect]


def _prepared(
    crm: Crm,
    acted_on: Entity,
    chosen: Action,
    record_id: str,
    given: Mapping[str, Any],
    references: References | None = None,
) -> Prepared:
    watched = crm.watch(acted_on, record_id, with_dependents=chosen.takes_all)
    before = record_acted_on(crm, acted_on, chosen, record_id)
    name = crm.label(acted_on, {"id": record_id, **before})
    values = Values(crm, f"{chosen.name} on {name!r}", references)
    values.read_params(chosen.params, given)
    # The target of a merge is changed as well.
    crm.meant.extend(
        values.body[each.body_name]
        for each in chosen.params
        if each.kind is Kind.RELATION and values.body.get(each.body_name)
    )
    named, others = _named_records(crm, chosen, values.body)
    named_parts = [
        crm.gateway.watch_part(acted_on, record_id, values.body[part.name])
        for part in chosen.parts
        if is_id(values.body.get(part.name))
    ]
    parts = _parts(crm, acted_on, chosen, record_id, values.body)
    subject = f"{acted_on.singular} {name!r}"
    below, watched_below = _watched_descendants(crm, acted_on, chosen, record_id)
    if not below:
        require_undone(chosen, before, parts, subject, crm.clock.today)
    require_values(chosen.needs, before, subject)
    marked = effects_of_action(chosen, before, crm.clock.today)
    mail = mail_details(crm, acted_on, marked, before, subject)
    made = made_details(crm, marked, before)
    shown = known_as(crm, acted_on, record_id, before)
    change = Change(
        "crm_action",
        {"entity": acted_on.name, "id": record_id, "action": chosen.name, "params": dict(given)},
        kinds_of(marked),
        tuple(each.consequence for each in marked),
        {
            **stored(acted_on, before),
            **mail,
            **made,
            "below": below,
            "parts": parts,
            "named": others,
            "dependents": digest_of(watched),
        },
        {**values.body, "named": values.understood},
        _untrusted(acted_on, chosen, shown, parts, below),
    )
    details: dict[str, Any] = {"record": shown}
    if given:
        details["params"] = {**given, **values.understood}
    details |= parts
    if chosen.done_at in before:
        details["done_before"] = before[chosen.done_at]
    if below:
        details["also"] = below
    details |= made | mail
    details |= way_back_shown(chosen.way_back)

    def require_possible() -> dict[str, Any]:
        if chosen.method == "DELETE":
            path, body = _request(chosen, record_id, values.body)
            if refusal := crm.gateway.refused_deletion(path, body):
                raise_for(refusal, subject, wrote=True)
        return {}

    read = _Read(
        acted_on,
        chosen,
        {"id": record_id, "name": name},
        before,
        values.body,
        (watched, *named, *named_parts),
        below,
        watched_below,
        "also" in change.untrusted,
        change.effects,
    )
    return Prepared(
        change,
        details,
        partial(_written, crm, read),
        name,
        watched=watched,
        only_shown=require_possible,
    )


def _written(crm: Crm, read: _Read, key: WriteKey | None) -> WriteResult:
    entity, action, params = read.entity, read.action, read.params
    # Refused for the record itself, it reaches nothing below.
    reply = _send(crm, entity, action, read.record, params, key, read.watched, read.effects)
    done = [
        _write(crm, entity, action, each, params, read.watched_below.get(each["id"]))
        for each in read.below
    ]
    result = _result(crm, entity, action, read.record["id"], reply)
    if done:
        result["also"] = done
        if read.is_untrusted_below:
            result["untrusted"] = [*result.get("untrusted", ()), "also"]
    lost = left_behind([action], read.before)
    if tax := untaxed(result["record"] or {}, [params]):
        lost.append(tax)
    return WriteResult(_answered(entity, action, read.record["id"], result, reply.unsent, lost))


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
    return _answered(entity, action, record_id, {"upload": offer}, ())


def _answered(
    entity: Entity,
    action: Action,
    record_id: str,
    result: Mapping[str, Any],
    unsent: Iterable[str],
    told: Iterable[str] = (),
) -> dict[str, Any]:
    answer = {
        "entity": entity.name,
        "id": record_id,
        "action": action.name,
        "result": result,
    }
    if action.way_back:
        answer["way_back"] = action.way_back
    if warnings := [*unsent_warnings(unsent), *told]:
        answer["warnings"] = warnings
    return answer


def _repeated(
    crm: Crm, entity: Entity, action: Action, record_id: str, unsent: Iterable[str]
) -> dict[str, Any]:
    """The answer to a call that was made before under its key: the record as it is now."""
    result = _saved(crm, entity, record_id, Reply(200))
    left: list[dict[str, Any]] = []
    if crm.may(entity, "read"):
        # More may be below by now than are reached; the write itself is done all the same.
        with suppress(ToolError):
            left = _descendants(crm, entity, action, record_id)
    if left:
        not_done = {"done": False, "reason": "The first call did not reach it."}
        result["also"] = [{"id": row["id"], "name": row["name"], **not_done} for row in left]
    return {**_answered(entity, action, record_id, result, unsent), "repeated": True}


def record_acted_on(crm: Crm, entity: Entity, action: Action, record_id: str) -> dict[str, Any]:
    """The record as the caller sees it: some of the CRM's action routes check no access."""
    if action.possible_effects:
        crm.require_scope(entity, "read", ", without which there is no preview to confirm")
    if action.unguarded or action.parts:
        crm.require_scope(entity, "read", f", without which {action.name} is not safe")
    if not crm.may(entity, "read"):
        return {}
    # What was confirmed is the whole record, also what lists leave out.
    read = crm.record if action.possible_effects or action.not_when else crm.brief
    return read(entity, record_id)


def _send(
    crm: Crm,
    entity: Entity,
    action: Action,
    record: Mapping[str, str],
    params: Mapping[str, Any],
    key: WriteKey | None = None,
    watched: Iterable[Watched | None] = (),
    effects: Iterable[Effect] = (),
) -> Reply:
    path, body = _request(action, record["id"], params)
    written = Subject(entity, record["id"], crm.brief_columns(entity), fields=(action.name,))
    reply = crm.gateway.write(
        action.method, path, body, subject=written, key=key, watched=watched, effects=effects
    )
    raise_for_write(crm, entity, reply, f"{entity.singular} {record['name']!r}", body)
    return reply


def _write(
    crm: Crm,
    entity: Entity,
    action: Action,
    record: Mapping[str, str],
    params: Mapping[str, Any],
    watched: Watched | None,
) -> dict[str, Any]:
    """The action on a record below: each is a change of its own, reported on its own."""
    named = {"id": record["id"], "name": record["name"]}
    try:
        reply = _send(
            crm, entity, action, record, params, watched=[watched], effects=action.effects
        )
    except ToolError as problem:
        reason = " ".join((problem.message, *problem.fields.values()))
        return {**named, "done": False, "reason": reason}
    except GatewayError as fault:
        return {**named, "done": False, "reason": str(fault)}
    done: dict[str, Any] = {**named, "done": True}
    if warnings := unsent_warnings(reply.unsent):
        done["warnings"] = warnings
    return done


def _untrusted(
    entity: Entity,
    action: Action,
    record: Mapping[str, Any],
    parts: Mapping[str, Any],
    below: Iterable[Any],
) -> list[str]:
    """What of a preview outsiders may have written: names, a comment."""
    names = untrusted_shown(entity, record)
    written = [
        part.name.removesuffix("_id")
        for part in action.parts
        if any(each.untrusted for each in entity.lists_of(part.part_of))
    ]
    return [
        *names,
        *(each for each in written if each in parts),
        *(["also"] if names and below else []),
    ]


def _named_records(
    crm: Crm, action: Action, params: Mapping[str, Any]
) -> tuple[list[Watched | None], dict[str, dict[str, Any]]]:
    """Other records that the params of what is confirmed name: watched, and as they are then."""
    watched: list[Watched | None] = []
    named: dict[str, dict[str, Any]] = {}
    for param in action.params if action.possible_effects else ():
        target = crm.catalogue.target(param.to)
        record_id = str(params.get(param.body_name))
        if target is None or not is_id(record_id) or not crm.may(target, "read"):
            continue
        watched.append(crm.gateway.watch(target, record_id))
        named[param.name] = stored(target, crm.record(target, record_id))
    return watched, named


def _watched_descendants(
    crm: Crm, entity: Entity, action: Action, record_id: str
) -> tuple[list[dict[str, Any]], dict[str, Watched | None]]:
    """The descendants as they are while each of them is watched."""
    found = _descendants(crm, entity, action, record_id)
    watched = {row["id"]: crm.gateway.watch(entity, row["id"]) for row in found}
    return _descendants(crm, entity, action, record_id) if found else [], watched


def _descendants(crm: Crm, entity: Entity, action: Action, record_id: str) -> list[dict[str, Any]]:
    """The records below this one that the caller sees and the action is still to reach."""
    relation = entity.field(action.descendants)
    if relation is None:
        return []
    names = {*entity.columns, *action.body, action.mails_to}
    columns = tuple(field for field in entity.fields if field.name in names)
    waiting: list[Mapping[str, Any]] = []
    seen, above = {record_id}, [record_id]
    while above:
        conditions = (Condition(relation, "in", tuple(above)),)
        page = crm.page(entity, RowQuery(columns, conditions=conditions, limit=MOST_DESCENDANTS))
        rows = [row for row in page.rows if row["id"] not in seen]
        if page.total > len(page.rows) or len(seen) + len(rows) > MOST_DESCENDANTS + 1:
            raise ToolError(
                "not_supported",
                f"More than {MOST_DESCENDANTS} {entity.name} are below this one.",
                hint=f"{NOTHING_CHANGED} Do it on those that are directly above few.",
            )
        above = [row["id"] for row in rows]
        seen.update(above)
        waiting += [
            row for row in rows if any(row.get(key) != value for key, value in action.body.items())
        ]
    return _named(crm, entity, action, waiting)


def _named(
    crm: Crm, entity: Entity, action: Action, rows: list[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """What a preview says of the records below: what they are, and who is mailed for each."""
    named = [{"id": row["id"], "name": crm.label(entity, row)} for row in rows]
    if field := entity.field(action.mails_to):
        mailed = recipients(crm, field, rows, f"a {entity.singular} below")
        return [{**each, "mailed_to": to} for each, to in zip(named, mailed, strict=True)]
    return named


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


def _request(
    action: Action, record_id: str, params: Mapping[str, Any]
) -> tuple[str, dict[str, Any]]:
    """Path and body: a parameter that the path names leaves the body."""
    in_path = {name for _, name, _, _ in Formatter().parse(action.path) if name}
    path = action.path.format(id=record_id, **{key: params[key] for key in in_path - {"id"}})
    body = {key: value for key, value in params.items() if key not in in_path}
    return path, {**action.body, **body}


def _parts(
    crm: Crm, entity: Entity, action: Action, record_id: str, params: Mapping[str, Any]
) -> dict[str, Any]:
    """The comment, line item or payment that is meant, by what it is; one of this record's own."""
    found = {}
    for part in action.parts:
        part_id = params.get(part.name)
        if part_id is None and not part.required:
            continue
        kind = part.name.removesuffix("_id")
        rows = _part_rows(crm, entity, record_id, part.part_of) if is_id(part_id) else {}
        if part_id not in rows:
            raise ToolError(
                "not_found",
                f"This {entity.singular} has no {kind.replace('_', ' ')} {part_id!r}.",
                hint=f"crm_get with include=[{part.part_of!r}] lists them.",
            )
        found[kind] = rows[part_id]
    return found


def _part_rows(
    crm: Crm, entity: Entity, record_id: str, list_name: str
) -> dict[str, dict[str, Any]]:
    return {
        str(row.get("id")): part_of(row, part.keys)
        for part in entity.lists_of(list_name)
        for row in part_rows(crm, entity, part, record_id)
    }


def _result(
    crm: Crm, entity: Entity, action: Action, record_id: str, reply: Reply
) -> dict[str, Any]:
    """What the CRM returned of interest, and the record as it is now."""
    answer = reply.data if isinstance(reply.data, Mapping) else {}
    returned_part = _returned(action, answer)
    returned = crm.catalogue.entity(action.returns_entity)
    if returned is None:
        result = part_of(returned_part, action.returns)
    else:
        fields = [each for each in returned.fields if each.name in returned.columns]
        records = without_empty(returned_part, action.returns)
        result = {key: row_of(fields, value) for key, value in records.items()}
    return {**result, **_saved(crm, entity, record_id, reply)}


def _saved(crm: Crm, entity: Entity, record_id: str, reply: Reply) -> dict[str, Any]:
    def read() -> dict[str, Any]:
        return {
            "id": record_id,
            **identity(entity, crm.brief_as_written(entity, record_id, reply)),
        }

    return crm.saved(read, entity)


def _returned(action: Action, answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the action's keys are picked from."""
    found = [dig(answer, path) or () for path in action.returns_in]
    rows = [row for part in found for row in ([part] if isinstance(part, Mapping) else part)]
    return max(rows, key=lambda row: str(row.get(action.newest_by)), default={})


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
