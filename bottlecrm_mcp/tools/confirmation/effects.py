"""Which of the declared effects a write has, and what the CRM needs for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from bottlecrm_mcp.catalogue.model import (
    Action,
    ChangeEffect,
    Effect,
    Entity,
    Field,
    Kind,
    ValueEffect,
)
from bottlecrm_mcp.gateway.shared.rows import EMPTY, holds
from bottlecrm_mcp.tools.arguments.values import sent_value
from bottlecrm_mcp.tools.errors import NOTHING_CHANGED, ToolError

Record = Mapping[str, Any]
Marked = ValueEffect | ChangeEffect


def effects_of_create(entity: Entity, body: Record, today: date) -> tuple[Marked, ...]:
    """The declared effects of a new record with the values in `body`."""
    given = given_values(entity, body)
    return (
        *(each for each in value_effects(entity, body) if each.creates),
        *(
            each
            for each in entity.change_effects
            if each.creates
            and not given.keys().isdisjoint(each.fields)
            and all(holds(state, given, today) for state in each.after)
        ),
    )


def effects_of_update(
    entity: Entity, body: Record, before: Record | None, today: date
) -> tuple[Marked, ...]:
    """The declared effects of an update with `body` of the record that was as `before`.

    Of a record that can't be read (None) it is every effect that the update may have.
    """
    given = given_values(entity, body)
    depending = (
        each
        for each in entity.change_effects
        if _changes(entity, each, given, before) and _applies(each, given, before, today)
    )
    return (*value_effects(entity, body, before), *depending)


def effects_of_action(action: Action, record: Record, today: date) -> tuple[Marked, ...]:
    """The effects that this action always has, and those that it has on this record."""
    always = ChangeEffect(
        action.effects, action.consequence, mails_to=action.mails_to, makes=action.makes
    )
    depending = (each for each in action.change_effects if _applies(each, {}, record, today))
    return (*([always] if action.effects else []), *depending)


def value_effects(
    entity: Entity, body: Record, before: Record | None = None
) -> tuple[ValueEffect, ...]:
    """The declared effects of the values in `body` that `before` does not have yet."""
    after = {**(before or {}), **body}
    return tuple(
        each
        for each in entity.value_effects
        if body.get(each.field) == each.value
        and (before or {}).get(each.field) != each.value
        and (each.given is None or after.get(each.given[0]) == each.given[1])
    )


def kinds_of(marked: Iterable[Marked]) -> tuple[Effect, ...]:
    return tuple(dict.fromkeys(effect for each in marked for effect in each.effects))


def needs_of(marked: Iterable[Marked]) -> Iterable[str]:
    """The fields without whose values the CRM can't do this."""
    return (need for each in marked if isinstance(each, ValueEffect) for need in each.needs)


def demanded_by(marked: Iterable[Marked]) -> list[str]:
    """The fields that the CRM wants in the same request."""
    return [each.demands for each in marked if isinstance(each, ValueEffect) and each.demands]


def left_behind(marked: Iterable[Marked | Action], before: Record) -> list[str]:
    """What the record had, and what was made of it lacks."""
    lost = {name for each in marked if not isinstance(each, ChangeEffect) for name in each.loses}
    return [
        f"The CRM does not carry over {name} ({before[name]}): set it in what was made of this."
        for name in sorted(lost)
        if before.get(name)
    ]


def given_values(entity: Entity, body: Record) -> dict[str, Any]:
    """The values of a request's body by the names of their fields."""
    return {
        field.name: body[field.body_name]
        for field in entity.writable_fields
        if field.body_name in body
    }


def require_values(names: Iterable[str], record: Record, subject: str) -> None:
    """Refuse what the CRM can't do for a record without a value in each of these fields."""
    missing = {name: "Is empty." for name in names if record.get(name) in EMPTY}
    if missing:
        raise ToolError(
            "invalid_value",
            f"The CRM can't do this for {subject} without {', '.join(missing)}.",
            fields=missing,
            hint=f"{NOTHING_CHANGED} Ask the person, and set it first.",
        )


def require_undone(
    action: Action, record: Record, parts: Mapping[str, Record], subject: str, today: date
) -> None:
    """Refuse an action that has nothing left to do for this record, or that the CRM refuses it.

    `parts` are the parts of the record that the action is for, by their kind.
    """
    of_parts = {f"{kind}.{key}": part[key] for kind, part in parts.items() for key in part}
    known = {**record, **of_parts}
    for state in action.not_when:
        # Of a record that can't be read the CRM decides.
        if state.field in known and holds(state, known, today):
            value = known[state.field]
            shown = value.get("name") if isinstance(value, Mapping) else value
            raise ToolError(
                "nothing_to_do",
                f"{action.name} does nothing for {subject}: {state.field} is {shown} already.",
                hint=NOTHING_CHANGED,
            )


def _changes(entity: Entity, effect: ChangeEffect, given: Record, before: Record | None) -> bool:
    """Whether the update changes what the effect is of."""
    fields = [entity.field(name) for name in effect.fields if name in given]
    if not effect.fields or before is None:
        return bool(fields) or not effect.fields
    return any(
        _differs(field, given[field.name], before.get(field.name)) for field in fields if field
    )


def _differs(field: Field, given: Any, shown: Any) -> bool:
    sent = sent_value(field, shown)
    if field.kind is Kind.RELATIONS:
        return set(given or ()) != set(sent)
    return bool(given != sent and not (given in EMPTY and sent in EMPTY))


def _applies(effect: ChangeEffect, given: Record, before: Record | None, today: date) -> bool:
    if before is None:
        # What is not known may well be so.
        known = [state for state in effect.after if state.field in given]
        return all(holds(state, given, today) for state in known)
    return all(holds(state, before, today) for state in effect.before) and all(
        holds(state, {**before, **given}, today) for state in effect.after
    )
