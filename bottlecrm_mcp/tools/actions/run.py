"""Run of an action: its request to the CRM, those for records below, and the answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from string import Formatter
from typing import Any

from bottlecrm_mcp.catalogue.model import Action, Effect, Entity
from bottlecrm_mcp.gateway.base import GatewayError, Reply, Subject, Watched, WriteKey
from bottlecrm_mcp.gateway.shared.rows import dig, part_of, row_of, without_empty
from bottlecrm_mcp.tools.actions.below import descendants
from bottlecrm_mcp.tools.actions.concerned import Concerned
from bottlecrm_mcp.tools.confirmation.confirm import Change
from bottlecrm_mcp.tools.confirmation.effects import left_behind
from bottlecrm_mcp.tools.crm import Crm, identity
from bottlecrm_mcp.tools.errors import ToolError, unsent_warnings
from bottlecrm_mcp.tools.money import untaxed
from bottlecrm_mcp.tools.prepared import WriteResult
from bottlecrm_mcp.tools.refused_writes import raise_for_write


def run(crm: Crm, concerned: Concerned, change: Change, key: WriteKey | None) -> WriteResult:
    """Raises what the gateway raises, and `ToolError` for what the CRM refuses."""
    entity, action, params = concerned.entity, concerned.action, concerned.params
    record = {"id": concerned.record_id, "name": concerned.name}
    watched = (concerned.watched, *concerned.watched_others)
    # Refused for the record itself, it reaches nothing below.
    reply = _send(crm, entity, action, record, params, key, watched, change.effects)
    done = [
        _write(crm, entity, action, each, params, concerned.watched_below.get(each["id"]))
        for each in concerned.below
    ]
    result = _result(crm, entity, action, concerned.record_id, reply)
    if done:
        result["also"] = done
        if "also" in change.untrusted:
            result["untrusted"] = [*result.get("untrusted", ()), "also"]
    lost = left_behind([action], concerned.before)
    if tax := untaxed(result["record"] or {}, [params]):
        lost.append(tax)
    told = answer_of(entity, action, concerned.record_id, result, reply.unsent, lost)
    return WriteResult(told)


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
    path, body = request_of(action, record["id"], params)
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


def answer_of(
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


def answer_again(
    crm: Crm, entity: Entity, action: Action, record_id: str, unsent: Iterable[str]
) -> dict[str, Any]:
    """The answer to a call that was made before under its key: the record as it is now."""
    result = _saved(crm, entity, record_id, Reply(200))
    left: list[dict[str, Any]] = []
    if crm.may(entity, "read"):
        # More may be below by now than are reached; the write itself is done all the same.
        with suppress(ToolError):
            left = descendants(crm, entity, action, record_id)
    if left:
        not_done = {"done": False, "reason": "The first call did not reach it."}
        result["also"] = [{"id": row["id"], "name": row["name"], **not_done} for row in left]
    return {**answer_of(entity, action, record_id, result, unsent), "repeated": True}


def request_of(
    action: Action, record_id: str, params: Mapping[str, Any]
) -> tuple[str, dict[str, Any]]:
    """Path and body: a parameter that the path names leaves the body."""
    in_path = {name for _, name, _, _ in Formatter().parse(action.path) if name}
    path = action.path.format(id=record_id, **{key: params[key] for key in in_path - {"id"}})
    body = {key: value for key, value in params.items() if key not in in_path}
    return path, {**action.body, **body}


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
