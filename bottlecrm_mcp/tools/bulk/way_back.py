"""Way back of an update of several records: the calls that would bring back what was."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from bottlecrm_mcp.catalogue.model import CUSTOM_FIELDS, Effect, Entity, Field, Kind
from bottlecrm_mcp.gateway.shared.rows import EMPTY
from bottlecrm_mcp.tools.arguments.custom_fields import PREFIX
from bottlecrm_mcp.tools.arguments.values import sent_value
from bottlecrm_mcp.tools.truncation import LONGEST_IN_ANSWER

FINAL = frozenset({Effect.IRREVERSIBLE, Effect.DELETES})
MAIL = "Mail that was sent stays sent."

Changed = Mapping[str, Mapping[str, Any]]
Changes = Mapping[str, Any]


def way_back(
    entity: Entity,
    asked: Iterable[str],
    done: Mapping[str, tuple[Changed, tuple[Effect, ...]]],
) -> dict[str, Any]:
    """Calls of `crm_update`, one for all records that had the same, and what stays as it is now.

    `asked` are the fields of the update, `done` has what changed of each record and with which
    effects. A call expects that nobody has changed the fields since.
    """
    names = {name.partition(".")[0] for name in asked}
    whole, single = _Calls(entity), _Calls(entity)
    stays: dict[str, None] = {}
    for record_id, (changed, effects) in done.items():
        if FINAL.intersection(effects):
            stays["What cannot be undone."] = None
            continue
        if Effect.MAILS in effects:
            stays[MAIL] = None
        data: dict[str, Any] = {}
        expect: dict[str, Any] = {}
        for name in sorted(names & changed.keys()):
            field = entity.field(name)
            if field is None or (said := _stays(field, changed[name])):
                stays[said if field else name] = None
                continue
            was, is_now = _inverse(field, changed[name]["before"], changed[name]["after"])
            single.add(record_id, was, is_now)
            data |= was
            expect |= is_now
        whole.add(record_id, data, expect)
    # Each of them is asked about: the fewer, the better.
    calls = min(whole.calls, single.calls, key=len)
    if not calls and not stays:
        return {}
    back: dict[str, Any] = {"tool": "crm_update", "calls": calls} if calls else {}
    return {**back, **({"stays": list(stays)} if stays else {})}


class _Calls:
    """Calls of `crm_update`, each for all records that get the same."""

    def __init__(self, entity: Entity) -> None:
        self._entity = entity.name
        self._by_values: dict[str, dict[str, Any]] = {}

    def add(self, record_id: str, data: Changes, expect: Changes) -> None:
        if not data:
            return
        call = {"data": dict(data), **({"expect": dict(expect)} if expect else {})}
        key = json.dumps(call, sort_keys=True)
        group = self._by_values.setdefault(key, {"entity": self._entity, "ids": [], **call})
        group["ids"].append(record_id)

    @property
    def calls(self) -> list[dict[str, Any]]:
        return list(self._by_values.values())


def _stays(field: Field, values: Mapping[str, Any]) -> str:
    """Why this field can't be put back, empty if it can."""
    before = values["before"]
    if not field.writable or field.kind is Kind.OBJECTS:
        return f"{field.name}."
    if field.required and before in EMPTY:
        return f"{field.name}: it can't be emptied."
    if isinstance(before, str) and len(before) > LONGEST_IN_ANSWER:
        return f"{field.name}: the text that was there is too long to be repeated here."
    return ""


def _inverse(field: Field, before: Any, after: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """What an update is to send, and what it is to expect."""
    if field.kind is Kind.RELATIONS:
        were, are = sent_value(field, before), sent_value(field, after)
        change = {
            "add": [each for each in were if each not in are],
            "remove": [each for each in are if each not in were],
        }
        return {field.name: {key: ids for key, ids in change.items() if ids}}, {}
    if field.name == CUSTOM_FIELDS:
        keys = dict.fromkeys((*(before or {}), *(after or {})))
        pairs = {key: ((before or {}).get(key), (after or {}).get(key)) for key in keys}
        differing = {f"{PREFIX}{key}": each for key, each in pairs.items() if each[0] != each[1]}
        return (
            {name: was for name, (was, _) in differing.items()},
            {name: now for name, (_, now) in differing.items()},
        )
    empty = "" if field.kind.is_text or field.kind is Kind.CHOICE else None
    data = {field.name: empty if before in EMPTY else sent_value(field, before)}
    is_long = isinstance(after, str) and len(after) > LONGEST_IN_ANSWER
    return data, {} if is_long else {field.name: sent_value(field, after)}
