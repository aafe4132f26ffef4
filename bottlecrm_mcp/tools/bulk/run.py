"""Run of a call on several records: each by the CRM's own route, in a transaction of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bottlecrm_mcp.catalogue.model import Entity
from bottlecrm_mcp.gateway.base import KEY_REUSED, GatewayError, RecordChanged, WrittenBefore
from bottlecrm_mcp.gateway.shared import progress
from bottlecrm_mcp.tools.bulk.plan import Plan, Refusal, all_refused, grouped, planned, state_of
from bottlecrm_mcp.tools.bulk.preview import preview
from bottlecrm_mcp.tools.bulk.records import Meant
from bottlecrm_mcp.tools.bulk.way_back import way_back
from bottlecrm_mcp.tools.confirmation.confirm import Confirmation, require_confirmation
from bottlecrm_mcp.tools.crm import Crm
from bottlecrm_mcp.tools.errors import NOTHING_CHANGED, ToolError
from bottlecrm_mcp.tools.prepared import Prepared, WriteResult

# Seconds that are kept for the answer.
KEPT_SECONDS = 2
# What the CRM answers when it has rolled one record back, and may well do the next.
OF_ONE_RECORD = ("not_saved",)
CHANGED = ToolError("conflict", "It was changed since the preview.")
NO_TIME = "The time for one call is over."
BEFORE = (
    "An earlier call under this key changed these. The server does not keep what they held: only "
    "the answer to that call has their way back."
)


@dataclass
class Outcome:
    """What became of the records: `done` by their ids, and why it stopped, if it did."""

    done: dict[str, WriteResult] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    refused: list[Refusal] = field(default_factory=list)
    not_reached: list[str] = field(default_factory=list)
    stopped: str = ""


def change_several(crm: Crm, meant: Meant, given: Confirmation) -> dict[str, Any]:
    """The answer: what was done, what was refused and why, what was not reached.

    Raises `ConfirmationRequired` until a person has agreed to these records as they are, and
    `ToolError` where nothing could be changed.
    """
    plan = planned(crm, meant)
    # Where the person has a form, it is not shown twice for the same.
    goes_on = plan.is_agreed and (given.confirm or crm.form is not None)
    if plan.ready and not goes_on:
        require_confirmation(crm, plan.change(), given, {}, lambda: preview(crm, plan))
    if not (plan.ready or plan.same or meant.earlier):
        raise all_refused(plan, plan.refused)
    outcome = _run(crm, plan)
    # The log of calls names what was changed.
    unchanged = {*outcome.not_reached, *(each.record_id for each in outcome.refused)}
    crm.meant[:] = [each for each in crm.meant if each not in unchanged]
    return _answer(crm, plan, outcome)


def _run(crm: Crm, plan: Plan) -> Outcome:
    outcome = Outcome(refused=list(plan.refused))
    entity = plan.meant.several.entity
    total = len(plan.ready)
    for count, (record_id, prepared) in enumerate(plan.ready.items()):
        outcome.names[record_id] = prepared.name
        if count and crm.gateway.seconds_left() < KEPT_SECONDS:
            outcome.stopped = outcome.stopped or NO_TIME
        if outcome.stopped:
            outcome.not_reached.append(record_id)
            continue
        _change(crm, plan, record_id, prepared, outcome)
        progress.tell(count + 1, total, entity.name, "done")
    return outcome


def _change(crm: Crm, plan: Plan, record_id: str, prepared: Prepared, outcome: Outcome) -> None:
    """Make one of the changes, if its record is as it was when a person agreed to it."""
    # What it is after the write is to be read.
    crm.ahead.pop(record_id, None)
    try:
        if prepared.watched is None and plan.meant.several.tool != "crm_create":
            prepared = _read_again(plan, record_id)
        outcome.done[record_id] = prepared.write(plan.key_of(record_id, outcome.done))
    except WrittenBefore as before:
        answer = {"id": before.earlier.record_id, "repeated": True}
        outcome.done[record_id] = WriteResult(answer)
    except RecordChanged:
        outcome.refused.append(Refusal(record_id, prepared.name, CHANGED))
    except ToolError as problem:
        outcome.refused.append(Refusal(record_id, prepared.name, problem))
        if problem.code == "unauthorized":
            outcome.stopped = problem.message
    except GatewayError as fault:
        if fault is KEY_REUSED and not outcome.done:
            # By a call that came at the same time.
            raise
        if fault.code in OF_ONE_RECORD:
            refusal = ToolError(fault.code, str(fault))
            outcome.refused.append(Refusal(record_id, prepared.name, refusal))
        else:
            # Said of this record alone: others before it may be done.
            outcome.stopped = str(fault).replace(NOTHING_CHANGED, "").strip()
            outcome.not_reached.append(record_id)


def _read_again(plan: Plan, record_id: str) -> Prepared:
    """The same where no lock tells whether it is as it was. Raises `ToolError` if it is not."""
    again = plan.meant.several.prepare(record_id, plan.references)
    if state_of(again) != plan.states[record_id]:
        raise CHANGED
    return again


def _answer(crm: Crm, plan: Plan, outcome: Outcome) -> dict[str, Any]:
    several, meant = plan.meant.several, plan.meant
    answer: dict[str, Any] = {"entity": several.entity.name}
    if several.tool == "crm_action":
        answer["action"] = several.arguments["action"]
    answer["count"] = len(outcome.done) + len(meant.earlier)
    answer["done"] = [_shown(crm, plan, key, each) for key, each in outcome.done.items()]
    answer["done"] += [{"id": each.record_id} for each in meant.earlier.values()]
    if meant.earlier:
        answer["done_before"] = len(meant.earlier)
    if meant.earlier and not outcome.done:
        answer["repeated"] = True
    if plan.same:
        answer["already_so"] = len(plan.same)
    if outcome.refused:
        answer["refused"] = grouped(several.entity, outcome.refused)
    if outcome.not_reached:
        answer["not_reached"] = _not_reached(plan, outcome)
    answer |= _after(plan, outcome)
    if any(each.change.untrusted for each in plan.ready.values()):
        answer["untrusted"] = [key for key in ("done", "refused", "not_reached") if answer.get(key)]
    return answer


def _shown(crm: Crm, plan: Plan, record_id: str, written: WriteResult) -> dict[str, Any]:
    several, answer = plan.meant.several, written.answer
    name = plan.ready[record_id].name
    if several.tool != "crm_create":
        return {"id": record_id, "name": name}
    if record := answer.get("record"):
        name = crm.label(several.entity, record)
    found = {"id": answer["id"]} if answer.get("id") else {}
    unsaid = {key: answer[key] for key in ("candidates",) if key in answer}
    return {**found, "name": name, **unsaid}


def _not_reached(plan: Plan, outcome: Outcome) -> dict[str, Any]:
    records = [{"id": each, "name": outcome.names[each]} for each in outcome.not_reached]
    if plan.meant.several.tool == "crm_create":
        records = [{"name": each["name"]} for each in records]
    go_on = (
        "The same call with the same idempotency_key goes on with these."
        if plan.meant.key
        else "A call with these alone goes on."
    )
    return {"reason": outcome.stopped, "count": len(records), "records": records, "next": go_on}


def _after(plan: Plan, outcome: Outcome) -> dict[str, Any]:
    """What is to be known of all that was done: which fields changed, warnings, the way back."""
    several = plan.meant.several
    said = Counter(
        text for each in outcome.done.values() for text in each.answer.get("warnings", ())
    )
    after: dict[str, Any] = {}
    if said:
        after["warnings"] = [
            f"{text} ({count} of them)" if count > 1 else text for text, count in said.items()
        ]
    if several.tool == "crm_update":
        after["changed"] = _fields(several.entity, outcome.done)
        if back := _way_back(plan, outcome):
            after["way_back"] = back
    elif several.way_back and (outcome.done or plan.meant.earlier):
        after["way_back"] = several.way_back
    return after


def _way_back(plan: Plan, outcome: Outcome) -> dict[str, Any]:
    """That of what was updated by this call, and which records it is not of."""
    several = plan.meant.several
    back = way_back(
        several.entity,
        several.arguments["data"],
        {key: (each.changed, plan.ready[key].change.effects) for key, each in outcome.done.items()},
    )
    before = [key for key, each in outcome.done.items() if each.answer.get("repeated")]
    before += plan.meant.earlier
    return {**back, "not_covered": {"ids": before, "reason": BEFORE}} if before else back


def _fields(entity: Entity, done: Mapping[str, WriteResult]) -> dict[str, int]:
    """How many records each field changed of; what the CRM computes was not read before."""
    computed = {field.name for field in entity.fields if field.computed}
    names = (name for each in done.values() for name in each.changed if name not in computed)
    return dict(Counter(names))
