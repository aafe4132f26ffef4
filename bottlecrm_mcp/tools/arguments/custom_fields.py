"""Custom fields: those that an organisation added to an entity."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from bottlecrm_mcp.catalogue.model import CUSTOM_FIELDS, Entity, Field, Kind
from bottlecrm_mcp.gateway.base import Refused, RowQuery
from bottlecrm_mcp.tools.arguments import scalars
from bottlecrm_mcp.tools.arguments.dates import A_DAY
from bottlecrm_mcp.tools.crm import Crm
from bottlecrm_mcp.tools.errors import ToolError, suggest

MOST = 1_000
PREFIX = f"{CUSTOM_FIELDS}."


def definitions(crm: Crm, entity: Entity) -> Mapping[str, Mapping[str, Any]]:
    """The organisation's active custom fields of this entity, by key; empty if not readable."""
    if entity.name not in crm.custom_fields:
        crm.custom_fields[entity.name] = _definitions(crm, entity)
    return crm.custom_fields[entity.name]


def _definitions(crm: Crm, entity: Entity) -> Mapping[str, Mapping[str, Any]]:
    definition = crm.catalogue.entity(CUSTOM_FIELDS)
    if definition is None or not entity.custom_fields or not crm.may(definition, "read"):
        return {}
    query = RowQuery(definition.fields, sort=_in_display_order(definition), limit=MOST)
    try:
        rows = crm.gateway.page(definition, query).rows
    except Refused:
        return {}
    target = entity.custom_fields
    return {row["key"]: row for row in rows if row["target_model"] == target and row["is_active"]}


def _in_display_order(definition: Entity) -> tuple[tuple[Field, bool], ...]:
    return tuple((field, False) for field in definition.fields if field.name == "display_order")


KINDS = {
    "number": Kind.DECIMAL,
    "checkbox": Kind.BOOLEAN,
    "date": Kind.DATE,
    "dropdown": Kind.CHOICE,
}


def field_of(crm: Crm, entity: Entity, name: str) -> Field | None:
    """A custom field by the name that `crm_describe` gives it, as a field like the others.

    None for another name. Raises `ToolError` if there is no such custom field.
    """
    if not name.startswith(PREFIX):
        return None
    key = name.removeprefix(PREFIX)
    known = definitions(crm, entity)
    if key not in known:
        raise ToolError("unknown_field", f"No such custom field. {suggest(key, known)}")
    definition = known[key]
    digest = hashlib.sha256(key.encode()).hexdigest()[:16]
    return Field(
        name,
        KINDS.get(definition.get("field_type", ""), Kind.TEXT),
        choices=tuple(option_values(definition)),
        shown_at=name,
        listed=any(each.name == CUSTOM_FIELDS and each.listed for each in entity.fields),
        # No column has such a name, and any key fits into it.
        column=f"custom_{digest}",
        custom_key=key,
    )


def is_known(crm: Crm, entity: Entity, name: str) -> bool:
    return name.removeprefix(PREFIX) in definitions(crm, entity)


def pointed_to(crm: Crm, entity: Entity, name: str) -> str:
    """A sentence that names the custom field which is called so, empty if there is none."""
    said = f"It is a custom field: use {PREFIX}{name}."
    return said if is_known(crm, entity, name) else ""


def choice_meant(definition: Mapping[str, Any], value: Any) -> str:
    """The stored value of an option, by its value or its label. Raises `ToolError`."""
    wanted = str(value).casefold()
    for option in definition.get("options") or ():
        known = option if isinstance(option, Mapping) else {"value": option}
        if wanted in (str(known.get(name)).casefold() for name in ("value", "label")):
            return str(known["value"])
    choices = ", ".join(option_values(definition))
    raise ToolError("invalid_value", f"{value!r} is not a choice. Choices: {choices}.")


def value_of(crm: Crm, definition: Mapping[str, Any], value: Any) -> Any:
    """A value for this field as the CRM takes it. Raises `ToolError`.

    BottleCRM makes a float of a number and text of most other things, and checks no more.
    """
    if isinstance(value, Mapping | list):
        raise ToolError("invalid_value", f"Give one value for {definition['key']}.")
    if value in (None, ""):
        return value
    try:
        return _typed(crm, definition, value)
    except ToolError as problem:
        said = f"{definition['key']}: {problem.message}"
        raise ToolError(problem.code, said) from problem


def _typed(crm: Crm, definition: Mapping[str, Any], value: Any) -> Any:
    kind = definition.get("field_type")
    if kind == "number":
        number = scalars.decimal(value)
        return float(number) if isinstance(value, str) else value
    if kind == "checkbox":
        return scalars.boolean(value)
    if kind == "date":
        day = crm.clock.day(value) if isinstance(value, str) else None
        if day is None:
            raise ToolError("invalid_value", f"Must be a date: {A_DAY}.")
        scalars.require_near(day)
        return day.isoformat()
    return choice_meant(definition, value) if option_values(definition) else value


def described(definition: Mapping[str, Any]) -> dict[str, Any]:
    """A custom field as `crm_describe` shows it."""
    about: dict[str, Any] = {
        "name": f"custom_fields.{definition['key']}",
        "label": definition.get("label"),
        "type": str(KINDS.get(str(definition.get("field_type")), Kind.TEXT)),
    }
    if definition.get("is_required"):
        about["required"] = True
    if options := option_values(definition):
        about["choices"] = options
    return about


def option_values(definition: Mapping[str, Any]) -> list[str]:
    return [
        str(option.get("value") if isinstance(option, Mapping) else option)
        for option in definition.get("options") or ()
    ]
