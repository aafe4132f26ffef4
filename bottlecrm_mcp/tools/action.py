"""crm_action: what an entity can do beyond create, read, update and delete."""

from __future__ import annotations

from collections.abc import Mapping
from string import Formatter
from typing import Any

from bottlecrm_mcp.catalogue.model import Action, Entity, Included
from bottlecrm_mcp.gateway.base import Reply
from bottlecrm_mcp.gateway.rows import dig, row_of, without_empty
from bottlecrm_mcp.tools.confirm import Answer, Change, require_confirmation
from bottlecrm_mcp.tools.crm import Crm, is_id, require_id
from bottlecrm_mcp.tools.errors import ToolError, raise_for, suggest
from bottlecrm_mcp.tools.values import Values


def crm_action(
    crm: Crm,
    *,
    entity: str,
    id: str,
    action: str,
    params: Mapping[str, Any] | None = None,
    confirm: bool = False,
    confirmation: str = "",
) -> dict[str, Any]:
    acted_on = crm.entity(entity)
    chosen = _action(acted_on, action)
    record_id = require_id(acted_on, id)
    given = dict(params or {})
    # The access rule of the record itself: some of the CRM's action routes have none.
    before = crm.record(acted_on, record_id)
    name = crm.label(acted_on, before)
    values = Values(crm, f"{chosen.name} on {name!r}").read_params(chosen.params, given)
    _require_part(crm, acted_on, chosen, record_id, values.body)
    change = Change(
        "crm_action",
        {"entity": acted_on.name, "id": record_id, "action": chosen.name, "params": given},
        chosen.effects,
        (chosen.consequence,),
        before,
    )
    details = {
        "record": {"id": record_id, "name": name},
        **({"params": {**given, **values.understood}} if given else {}),
    }
    require_confirmation(crm, change, Answer(confirm, confirmation), details)
    path, body = _request(chosen, record_id, values.body)
    reply = crm.gateway.write(chosen.method, path, body)
    raise_for(reply, f"{acted_on.singular} {name!r}", wrote=True)
    return {
        "entity": acted_on.name,
        "id": record_id,
        "action": chosen.name,
        "result": _result(crm, acted_on, chosen, record_id, reply),
    }


def _action(entity: Entity, name: str) -> Action:
    found = entity.action(name)
    if found is not None:
        return found
    if "comment" in name and entity.no_comments:
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


def _require_part(
    crm: Crm, entity: Entity, action: Action, record_id: str, params: Mapping[str, Any]
) -> None:
    """A comment, line item or payment must be one of this record's own."""
    if action.belongs is None:
        return
    parameter, included_name = action.belongs
    part_id = params[parameter]
    included = [
        each
        for each in entity.includes
        if each.name == included_name
        or (included_name, each.name) == ("comments", "internal_notes")
    ]
    if not is_id(part_id) or part_id not in _part_ids(crm, entity, record_id, included):
        raise ToolError(
            "not_found",
            f"This {entity.singular} has no {included_name.removesuffix('s').replace('_', ' ')} "
            f"{part_id!r}.",
            hint=f"crm_get with include=[{included_name!r}] lists them.",
        )


def _part_ids(crm: Crm, entity: Entity, record_id: str, included: list[Included]) -> set[str]:
    detail = crm.detail(entity, record_id)
    return {str(row.get("id")) for each in included for row in dig(detail, each.detail) or ()}


def _result(
    crm: Crm, entity: Entity, action: Action, record_id: str, reply: Reply
) -> dict[str, Any]:
    """What the CRM returned of interest, and the record as it is now."""
    answer = reply.data if isinstance(reply.data, Mapping) else {}
    result: dict[str, Any] = {
        key: answer[key] for key in action.returns if answer.get(key) not in (None, "")
    }
    returned = crm.catalogue.entity(action.returns_entity)
    if returned is not None:
        for key, value in result.items():
            fields = [each for each in returned.fields if each.name in returned.columns]
            result[key] = row_of(fields, value)
    if action.name == "add_comment" and (comment := _new_comment(answer)):
        result["comment"] = comment
    record = crm.record(entity, record_id)
    shown = {key: record[key] for key in entity.columns if key in record}
    return {**result, "record": {"id": record_id, **shown}}


def _new_comment(answer: Mapping[str, Any]) -> dict[str, Any]:
    """The comment that was added: an invoice's answer has it alone, the others list them all."""
    alone = answer.get("comment")
    rows = [alone] if isinstance(alone, Mapping) else answer.get("comments")
    newest = max(rows or [{}], key=lambda row: str(row.get("commented_on", "")))
    return without_empty(newest, ("id", "comment", "commented_on"))
