"""Preparation of an action: what a person is to agree to, and what is made then."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from bottlecrm_mcp.catalogue.model import Action, Entity
from bottlecrm_mcp.tools.actions.concerned import Concerned, concerned_by
from bottlecrm_mcp.tools.actions.run import request_of, run
from bottlecrm_mcp.tools.arguments.references import References
from bottlecrm_mcp.tools.confirmation.confirm import Change, digest_of, way_back_shown
from bottlecrm_mcp.tools.confirmation.effects import (
    Marked,
    effects_of_action,
    kinds_of,
    require_undone,
    require_values,
)
from bottlecrm_mcp.tools.confirmation.made import made_details
from bottlecrm_mcp.tools.confirmation.recipients import mail_details
from bottlecrm_mcp.tools.crm import Crm, known_as, stored, untrusted_shown
from bottlecrm_mcp.tools.errors import NOTHING_CHANGED, ToolError, raise_for
from bottlecrm_mcp.tools.prepared import Prepared


def prepared_action(
    crm: Crm,
    entity: Entity,
    action: Action,
    given: Mapping[str, Any],
    record_id: str,
    references: References | None = None,
) -> Prepared:
    """Raises `ToolError` where the action can't be run, or has been."""
    concerned = concerned_by(crm, entity, action, record_id, given, references)
    before, subject, today = concerned.before, concerned.subject, crm.clock.today
    if not concerned.below:
        require_undone(action, before, concerned.parts, subject, today)
        _require_merged_or_not(crm, concerned)
    require_values(action.needs, before, subject)
    marked = effects_of_action(action, before, today)
    told = made_details(crm, marked, before) | mail_details(crm, entity, marked, before, subject)
    shown = known_as(crm, entity, record_id, before)
    change = _change(concerned, given, marked, told, shown)
    return Prepared(
        change,
        _details(concerned, given, told, shown),
        partial(run, crm, concerned, change),
        concerned.name,
        watched=concerned.watched,
        only_shown=partial(_require_possible, crm, concerned),
    )


def _change(
    concerned: Concerned,
    given: Mapping[str, Any],
    marked: Iterable[Marked],
    told: Mapping[str, Any],
    shown: Mapping[str, Any],
) -> Change:
    entity, action = concerned.entity, concerned.action
    known = {
        **stored(entity, concerned.before),
        **told,
        "below": concerned.below,
        "parts": concerned.parts,
        "named": concerned.others,
        "dependents": digest_of(concerned.watched),
    }
    return Change(
        "crm_action",
        {
            "entity": entity.name,
            "id": concerned.record_id,
            "action": action.name,
            "params": dict(given),
        },
        kinds_of(marked),
        tuple(each.consequence for each in marked),
        known,
        {**concerned.params, "named": concerned.understood},
        _untrusted(concerned, shown),
    )


def _details(
    concerned: Concerned,
    given: Mapping[str, Any],
    told: Mapping[str, Any],
    shown: Mapping[str, Any],
) -> dict[str, Any]:
    action, before = concerned.action, concerned.before
    details: dict[str, Any] = {"record": shown}
    if given:
        details["params"] = {**given, **concerned.understood}
    details |= concerned.parts
    if action.done_at in before:
        details["done_before"] = before[action.done_at]
    if concerned.below:
        details["also"] = concerned.below
    return {**details, **told, **way_back_shown(action.way_back)}


def _untrusted(concerned: Concerned, shown: Mapping[str, Any]) -> list[str]:
    """What of a preview outsiders may have written: names, a comment."""
    entity = concerned.entity
    names = untrusted_shown(entity, shown)
    written = [
        part.name.removesuffix("_id")
        for part in concerned.action.parts
        if any(each.untrusted for each in entity.lists_of(part.part_of))
    ]
    return [
        *names,
        *(each for each in written if each in concerned.parts),
        *(["also"] if names and concerned.below else []),
    ]


def _require_merged_or_not(crm: Crm, concerned: Concerned) -> None:
    """Refuse a merge that was made, and the way back of one that was not."""
    entity, wanted = concerned.entity, concerned.action.of_merged
    if wanted is None or not crm.may(entity, "read"):
        return
    is_merged = crm.is_merged(entity, concerned.record_id)
    if is_merged is not wanted:
        state = "is merged into another one already" if is_merged else "is not merged"
        raise ToolError(
            "nothing_to_do",
            f"{concerned.action.name} does nothing: {concerned.subject} {state}.",
            hint=NOTHING_CHANGED,
        )


def _require_possible(crm: Crm, concerned: Concerned) -> dict[str, Any]:
    if concerned.action.method == "DELETE":
        path, body = request_of(concerned.action, concerned.record_id, concerned.params)
        if refusal := crm.gateway.refused_deletion(path, body):
            raise_for(refusal, concerned.subject, wrote=True)
    return {}
