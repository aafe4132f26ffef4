"""Plan of a call on several records: each read and checked, and what a person is to agree to."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bottlecrm_mcp.catalogue.model import Entity
from bottlecrm_mcp.gateway.base import WriteKey
from bottlecrm_mcp.tools.arguments.references import MOST_REFERENCES, References
from bottlecrm_mcp.tools.arguments.scalars import is_id
from bottlecrm_mcp.tools.bulk.records import PART, Meant
from bottlecrm_mcp.tools.confirmation.confirm import Change, fingerprint
from bottlecrm_mcp.tools.crm import Crm, digest
from bottlecrm_mcp.tools.errors import NOTHING_CHANGED, ToolError
from bottlecrm_mcp.tools.prepared import Prepared

# What is wrong with the call, not with one of its records.
ENDS_THE_CALL = ("unauthorized", "insufficient_scope", "ambiguous")


@dataclass(frozen=True)
class Refusal:
    """A record that is not changed, and why."""

    record_id: str
    name: str
    problem: ToolError

    @property
    def reason(self) -> str:
        fields = (f"{name}: {said}" for name, said in self.problem.fields.items())
        hint = self.problem.hint.replace(NOTHING_CHANGED, "").strip()
        return " ".join(part for part in (self.problem.message, *fields, hint) if part)


@dataclass(frozen=True)
class Plan:
    """`ready` are the records to change, `same` those that are so already.

    `states` are digests of every record that is meant, `agreed` is one of them all.
    """

    meant: Meant
    references: References
    ready: Mapping[str, Prepared]
    same: Mapping[str, Prepared]
    refused: tuple[Refusal, ...]
    states: Mapping[str, str]
    agreed: str

    @property
    def is_agreed(self) -> bool:
        """Whether a person agreed to just this when an earlier call began it under its key."""
        return any(each.digest.endswith(self.agreed) for each in self.meant.earlier.values())

    def key_of(self, record_id: str, done: Collection[str]) -> WriteKey | None:
        """The key of the write to one of them, where those are `done`."""
        is_begun = bool(done or self.meant.earlier)
        state = self.states[record_id]
        return self.meant.key_of(record_id, state, self.agreed, is_begun=is_begun)

    def change(self) -> Change:
        """What the confirmation is bound to: the exact records, each as it is."""
        several = self.meant.several
        changes = [each.change for each in self.ready.values()]
        effects = dict.fromkeys(effect for each in changes for effect in each.effects)
        is_untrusted = any(each.untrusted for each in changes)
        return Change(
            several.tool,
            several.arguments,
            tuple(effects),
            (),
            self.states,
            untrusted=["records", "refused"] if is_untrusted else [],
            several=True,
            names={record_id: each.name for record_id, each in self.ready.items()},
        )


def planned(crm: Crm, meant: Meant) -> Plan:
    """Each of the records as it is now. Raises `ToolError` for what is wrong with the call."""
    references = References(crm, most=MOST_REFERENCES * max(len(meant.ids), 1))
    ready: dict[str, Prepared] = {}
    same: dict[str, Prepared] = {}
    refused: list[Refusal] = []
    states = {key: each.digest[PART : 2 * PART] for key, each in meant.earlier.items()}
    for record_id in (each for each in meant.ids if each not in meant.earlier):
        try:
            prepared = meant.several.prepare(record_id, references)
        except ToolError as problem:
            if problem.code in ENDS_THE_CALL:
                raise
            refused.append(Refusal(record_id, _name(crm, meant, record_id), problem))
            states[record_id] = fingerprint({"refused": problem.code})
            continue
        (ready if prepared.needed else same)[record_id] = prepared
        states[record_id] = state_of(prepared)
    agreed = digest(json.dumps([meant.asked, states], sort_keys=True))[: 2 * PART]
    return Plan(meant, references, ready, same, tuple(refused), states, agreed)


def state_of(prepared: Prepared) -> str:
    """A digest of the record, of what goes with it, and of what is sent."""
    change = prepared.change
    return fingerprint({"record": change.record, "sent": change.sent, "effects": change.effects})


def _name(crm: Crm, meant: Meant, record_id: str) -> str:
    entity = meant.several.entity
    if meant.several.tool == "crm_create":
        return f"number {int(record_id) + 1}"
    ahead = crm.ahead.get(record_id)
    return crm.label(entity, {"id": record_id, **(ahead.row if ahead else {})})


def grouped(entity: Entity, refusals: Iterable[Refusal]) -> list[dict[str, Any]]:
    """The refused records by their reasons."""
    groups: dict[str, list[dict[str, str]]] = {}
    for each in refusals:
        reason = each.reason
        # A reason that names its record is the same for all but for that. New ones have no id but a
        # place, whose digits are those of any number.
        ids = [each.record_id] if is_id(each.record_id) else []
        for named in (repr(each.name), *ids):
            reason = reason.replace(f"{entity.singular} {named}", "it").replace(named, "it")
        reason = f"{reason[:1].upper()}{reason[1:]}"
        groups.setdefault(reason, []).append({"id": each.record_id, "name": each.name})
    return [
        {"reason": reason, "count": len(records), "records": records}
        for reason, records in groups.items()
    ]


def all_refused(plan: Plan, refused: Iterable[Refusal]) -> ToolError:
    """The error of a call that would change nothing."""
    refusals, entity = list(refused), plan.meant.several.entity
    codes = {each.problem.code for each in refusals}
    groups = grouped(entity, refusals)
    several = len(refusals) > 1
    these = f"All {len(refusals)} {entity.name} are" if several else f"The {entity.singular} is"
    return ToolError(
        codes.pop() if len(codes) == 1 else "rejected",
        f"{these} refused: {groups[0]['reason']}",
        fields={each["reason"]: f"{each['count']} of them" for each in groups[1:]},
        hint=NOTHING_CHANGED,
    )
