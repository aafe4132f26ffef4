"""Preview of a call on several records: what a person is asked to agree to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from bottlecrm_mcp.one_line import OwnWords
from bottlecrm_mcp.tools.arguments.list_changes import is_list_change
from bottlecrm_mcp.tools.bulk.plan import Plan, Refusal, all_refused, grouped
from bottlecrm_mcp.tools.bulk.records import Several
from bottlecrm_mcp.tools.confirmation.left_today import fewer_left, require_left
from bottlecrm_mcp.tools.crm import Crm
from bottlecrm_mcp.tools.errors import ToolError
from bottlecrm_mcp.tools.prepared import Prepared
from bottlecrm_mcp.tools.searches.duplicates import alike, alike_among

MOST_NAMED = 10
MOST_DUPLICATES = 3
# Of the details of one record: said once, of all of them.
SAID_ONCE = (
    "record",
    "data",
    "params",
    "way_back",
    "mailed_to",
    "deleted_with_it",
    "among_them",
    "not_shown",
)


def preview(crm: Crm, plan: Plan) -> dict[str, Any]:
    """Raises `ToolError` if none of the records can be changed."""
    ready, refused = _tried(plan)
    if not ready:
        raise all_refused(plan, refused)
    several = plan.meant.several
    each_prepared = list(ready.values())
    effects = [each.change.effects for each in each_prepared]
    require_left(crm.caller, effects)
    named = [_named(several.tool, key, each) for key, each in list(ready.items())[:MOST_NAMED]]
    left_out = len(ready) - len(named)
    shown: dict[str, Any] = {
        "this_will": _consequences(plan, each_prepared),
        "count": len(ready),
        **plan.meant.understood,
        **_asked_for(several, each_prepared[0]),
        "records": named,
        "not_named": OwnWords(f"{left_out} more") if left_out else None,
        "already_so": len(plan.same),
        "done_before": len(plan.meant.earlier),
        "refused": [_short(each) for each in grouped(several.entity, refused)],
        "daily_limit": fewer_left(crm.caller, effects),
        **_summed(each_prepared),
        "possible_duplicates": _duplicates(crm, plan, ready),
        "way_back": _way_back(each_prepared),
    }
    return {key: value for key, value in shown.items() if value}


def _tried(plan: Plan) -> tuple[dict[str, Prepared], list[Refusal]]:
    """Those that can be changed as far as the CRM tells beforehand, and the others."""
    ready, refused = {}, list(plan.refused)
    for record_id, each in plan.ready.items():
        try:
            each.only_shown()
        except ToolError as problem:
            refused.append(Refusal(record_id, each.name, problem))
        else:
            ready[record_id] = each
    return ready, refused


def _consequences(plan: Plan, ready: list[Prepared]) -> str:
    several, entity = plan.meant.several, plan.meant.several.entity
    times = Counter(said for each in ready for said in each.change.consequences)
    called = entity.singular if len(ready) == 1 else entity.name
    first = f"{several.verb} {len(ready)} {called}"
    if len(ready) == 1:
        return "; ".join([first, *times])
    of_which = {said: "each" if n == len(ready) else n for said, n in times.items()}
    return "; ".join([first, *(f"for {which} of them: {said}" for said, which in of_which.items())])


def _asked_for(several: Several, first: Prepared) -> dict[str, Any]:
    """What is the same for all of them; what a list becomes by additions is not."""
    key = {"crm_update": "data", "crm_action": "params"}.get(several.tool, "")
    if key not in first.details:
        return {}
    given, understood = several.arguments[key], first.details[key]
    changes = {
        field.name
        for field in several.entity.fields
        if is_list_change(field, given.get(field.name))
    }
    return {key: {**understood, **{name: given[name] for name in changes}}}


def _named(tool: str, record_id: str, prepared: Prepared) -> dict[str, Any]:
    """One of the records: what it is, what would change, what is special about it."""
    details = prepared.details
    special = {key: value for key, value in details.items() if key not in SAID_ONCE}
    if tool == "crm_create":
        return {"name": prepared.name, "data": details["data"], **special}
    if tool == "crm_update":
        return {
            "id": record_id,
            "name": prepared.name,
            "changes": dict(prepared.differs),
            **special,
        }
    return {**details["record"], **special}


def _short(group: Mapping[str, Any]) -> dict[str, Any]:
    names = [each["name"] for each in group["records"][:MOST_NAMED]]
    return {**group, "records": names}


def _summed(ready: Iterable[Prepared]) -> dict[str, Any]:
    """Everyone who is mailed, and all that goes with what is deleted."""
    mailed: list[Any] = []
    counts: Counter[str] = Counter()
    hidden: dict[str, Any] = {}
    for each in ready:
        recipient = each.details.get("mailed_to")
        if recipient is not None and recipient not in mailed:
            mailed.append(recipient)
        counts.update(each.details.get("deleted_with_it", {}))
        hidden |= each.details.get("not_shown", {})
    return {"mailed_to": mailed, "deleted_with_it": dict(counts), "not_shown": hidden}


def _way_back(ready: Iterable[Prepared]) -> OwnWords:
    return OwnWords(
        ", or ".join(dict.fromkeys(str(each.details.get("way_back", "")) for each in ready))
    )


def _duplicates(crm: Crm, plan: Plan, ready: Mapping[str, Prepared]) -> list[dict[str, Any]]:
    """New records that look like another of them, or like one that is there."""
    several = plan.meant.several
    if several.tool != "crm_create" or not crm.may(several.entity, "read"):
        return []
    bodies = {key: each.change.sent for key, each in ready.items()}
    among = alike_among(several.entity, bodies)
    found = []
    for key, each in ready.items():
        there = alike(crm, several.entity, bodies[key], MOST_DUPLICATES)
        like = [{name: row[name] for name in ("id", "name", "same")} for row in there]
        like += [{"name": ready[other].name, "same": same} for other, same in among.get(key, ())]
        if like:
            found.append({"name": each.name, "like": like})
    return found
