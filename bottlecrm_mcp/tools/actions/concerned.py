"""What an action concerns: its record, the records and parts that it names, those below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bottlecrm_mcp.catalogue.model import Action, Entity, Kind
from bottlecrm_mcp.gateway.base import Watched
from bottlecrm_mcp.tools.actions.below import watched_descendants
from bottlecrm_mcp.tools.actions.parts import parts_meant
from bottlecrm_mcp.tools.arguments.references import References, require_another
from bottlecrm_mcp.tools.arguments.scalars import is_id
from bottlecrm_mcp.tools.arguments.values import Values
from bottlecrm_mcp.tools.crm import Crm, stored


@dataclass(frozen=True)
class Concerned:
    """All of it as it is before the action, each watched from before it was read.

    `params` are as the CRM takes them, `understood` what names in them mean. `others` are the
    records that they name, `below` those that the action reaches, too.
    """

    entity: Entity
    action: Action
    record_id: str
    name: str
    before: Mapping[str, Any]
    params: Mapping[str, Any]
    understood: Mapping[str, Any]
    parts: Mapping[str, Any]
    others: Mapping[str, Any]
    below: Sequence[Mapping[str, Any]]
    watched: Watched | None
    watched_others: Sequence[Watched | None]
    watched_below: Mapping[str, Watched | None]

    @property
    def subject(self) -> str:
        return f"{self.entity.singular} {self.name!r}"


def concerned_by(
    crm: Crm,
    entity: Entity,
    action: Action,
    record_id: str,
    given: Mapping[str, Any],
    references: References | None = None,
) -> Concerned:
    """Raises `ToolError` for what is wrong with the parameters that are `given`."""
    watched = crm.watch(entity, record_id, with_dependents=action.takes_all)
    before = record_acted_on(crm, entity, action, record_id)
    name = crm.label(entity, {"id": record_id, **before})
    values = Values(crm, f"{action.name} on {name!r}", references)
    params = values.read_params(action.params, given).body
    require_another(entity, record_id, action.params, params)
    # The target of a merge is changed as well.
    crm.meant.extend(
        params[each.body_name]
        for each in action.params
        if each.kind is Kind.RELATION and params.get(each.body_name)
    )
    watched_others, others = _named_records(crm, action, params)
    watched_others += [
        crm.gateway.watch_part(entity, record_id, params[part.name])
        for part in action.parts
        if is_id(params.get(part.name))
    ]
    parts = parts_meant(crm, entity, action, record_id, params)
    below, watched_below = watched_descendants(crm, entity, action, record_id)
    return Concerned(
        entity,
        action,
        record_id,
        name,
        before,
        params,
        values.understood,
        parts,
        others,
        below,
        watched,
        watched_others,
        watched_below,
    )


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
