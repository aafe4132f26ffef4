"""crm_describe and list_actions: what there is to write, filter and do."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from bottlecrm_mcp.catalogue.model import Access, Action, ChangeEffect, Entity, Field, Kind, Open
from bottlecrm_mcp.gateway.base import LiveField
from bottlecrm_mcp.tools.arguments import custom_fields
from bottlecrm_mcp.tools.crm import Crm
from bottlecrm_mcp.tools.schemas import ANYTHING, ENTITY, LIST, TEXT
from bottlecrm_mcp.tools.tool import Tool

# Limits that hardly anybody meets are left out.
LONG = 100
LARGE = 1_000_000_000
SHORT = (
    "Names with ! need confirmation; in brackets are the params that are required. list_actions "
    "of one entity describes them all."
)


def crm_describe(crm: Crm, *, entity: str) -> dict[str, Any]:
    """Fields, filters, sort and actions of an entity, from the CRM's own write serializer."""
    described = crm.entity(entity)
    live = crm.gateway.live_fields(described, update=False)
    fields = [_field(field, live) for field in described.writable_fields]
    fields += [
        custom_fields.described(each) for each in custom_fields.definitions(crm, described).values()
    ]
    kinds = [kind for kind in Kind if any(each.kind is kind for each in described.fields)]
    result: dict[str, Any] = {
        "entity": described.name,
        "fields": fields,
        "read_only": {each.name: _in_short(each) for each in described.fields if not each.writable},
        "filters": {str(kind): list(kind.operators) for kind in kinds if kind.operators},
        "sort": [str(kind) for kind in kinds if kind.can_sort],
        "actions": [_summary(each) for each in described.actions],
        "include": {each.name: each.purpose for each in described.includes},
        "source": "live" if live else "declared",
        "notes": _notes(described),
    }
    return result


def list_actions(crm: Crm, *, entity: str | None = None) -> dict[str, Any]:
    """The actions of one entity in full, or of all in short."""
    if entity is None:
        return _all_in_short(crm.catalogue.entities)
    chosen = crm.entity(entity)
    return {"actions": {chosen.name: [_action(one) for one in chosen.actions]}}


def _all_in_short(entities: Sequence[Entity]) -> dict[str, Any]:
    """Purpose and required params of each action; those that several entities have once."""
    alike: dict[str, list[str]] = {}
    for each in entities:
        for action in each.actions:
            alike.setdefault(_purpose(action), []).append(each.name)
    told: dict[str, dict[str, str]] = {}
    for purpose, names in alike.items():
        name, _, said = purpose.partition(" ")
        told.setdefault(", ".join(names), {})[name] = said
    return {"actions": told, "notes": [SHORT]}


def _purpose(action: Action) -> str:
    needed = ", ".join(each.name for each in action.params if each.required)
    mark = "!" if action.possible_effects else ""
    return f"{action.name}{mark} {action.purpose.removesuffix('.')}" + (needed and f" ({needed})")


def _in_short(field: Field) -> str:
    """A field that nobody writes."""
    of = "|".join(field.choices) or field.to
    told = (f"{field.kind} {of}".strip(), "computed" if field.computed else "", field.note)
    return ", ".join(filter(None, told))


def _field(field: Field, live: Mapping[str, LiveField] | None) -> dict[str, Any]:
    about: dict[str, Any] = {"name": field.name, "type": str(field.kind)}
    now = live.get(field.body_name) if live else None
    if field.access is Access.CREATE:
        about["access"] = str(Access.CREATE)
    if now.required if now else field.required:
        about["required"] = True
    if choices := _choices(field, now):
        about["choices"] = choices
    length = (now.max_length if now else None) or field.max_length
    if length and length < LONG:
        about["max_length"] = length
    least = now.minimum if now and now.minimum is not None else field.minimum
    if least is not None:
        about["minimum"] = least
    most = field.maximum if field.maximum is not None else now.maximum if now else None
    if most is not None and most < LARGE:
        about["maximum"] = most
    if field.kind.is_relation:
        about["to"] = field.to
    if field.parts:
        about["parts"] = {part.name: list(part.choices) or str(part.kind) for part in field.parts}
    if field.computed:
        about["computed"] = True
    if field.note:
        about["note"] = field.note
    return about


def _choices(field: Field, live: LiveField | None) -> list[Any]:
    if live is None or not live.choices:
        return list(field.choices)
    # The label only where it says something else than the value.
    return [
        value if _words(value) <= _words(label) else {"value": value, "label": label}
        for value, label in live.choices
    ]


def _words(text: Any) -> set[str]:
    return set(re.findall(r"\w+", str(text).lower().replace("_", " ")))


def _summary(action: Action) -> dict[str, Any]:
    """An action in short: what list_actions says in full."""
    about: dict[str, Any] = {"name": action.name}
    if needed := ", ".join(each.name for each in action.params if each.required):
        about["params"] = needed
    if action.effects:
        about["needs_confirmation"] = True
    return about


def _action(action: Action) -> dict[str, Any]:
    about: dict[str, Any] = {"name": action.name, "purpose": action.purpose}
    if action.params:
        about["params"] = [_field(each, None) for each in action.params]
    about["needs_confirmation"] = bool(action.possible_effects)
    if action.possible_effects:
        about["effects"] = [str(each) for each in action.possible_effects]
    if action.admin_only:
        about["admin_only"] = True
    return about


def _change(effect: ChangeEffect) -> str:
    return f"{', '.join(effect.fields) or 'any field'} if {effect.when}"


def _or(opened: Open) -> str:
    return " or ".join(opened.values)


def _notes(entity: Entity) -> list[str]:
    effects = (
        f"{each.field}={each.value!r} needs confirmation: it will {each.consequence}."
        for each in entity.value_effects
    )
    changes = "; ".join(_change(each) for each in entity.change_effects if each.when)
    legend = (
        "Filters and sort go by type; RELATION.field, id and any filter, too; computed fields "
        "have neither. Params are the required ones; list_actions has all."
    )
    admins = "Only an administrator can create, update or delete." if entity.admin_writes else ""
    instead = dict.fromkeys(
        (entity.no_create, entity.no_update, entity.no_delete, entity.no_comments)
    )
    confirmed = f"Changes to confirm: {changes}." if changes else ""
    opened = entity.open and f"is_open filters: true is {entity.open.field} {_or(entity.open)}."
    notes = (legend, opened, *effects, confirmed, entity.hidden_note, admins, *instead)
    return [note for note in notes if note]


DESCRIBE = Tool(
    name="crm_describe",
    title="Describe an entity",
    description=(
        "The fields of an entity with types, choices and limits, its filters, sorts, actions "
        "and the organisation's custom fields."
    ),
    run=crm_describe,
    arguments={"entity": ENTITY},
    required=("entity",),
    result={
        "entity": TEXT,
        "fields": LIST,
        "read_only": ANYTHING,
        "filters": ANYTHING,
        "sort": LIST,
        "actions": LIST,
        "include": ANYTHING,
        "source": TEXT,
        "notes": LIST,
    },
    needs="",
    idempotent=True,
)


LIST_ACTIONS = Tool(
    name="list_actions",
    title="List actions",
    description="The actions beyond create, read, update and delete, of one entity or of all.",
    run=list_actions,
    arguments={"entity": ENTITY},
    required=(),
    result={"actions": ANYTHING, "notes": LIST},
    needs="",
    idempotent=True,
)
