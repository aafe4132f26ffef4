"""Custom fields: those that an organisation added to an entity."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bottlecrm_mcp.catalogue.model import CUSTOM_FIELDS, Entity, Field
from bottlecrm_mcp.gateway.base import Refused, RowQuery
from bottlecrm_mcp.tools.arguments import scalars
from bottlecrm_mcp.tools.crm import Crm
from bottlecrm_mcp.tools.errors import ToolError

MOST = 1_000


def definitions(crm: Crm, entity: Entity) -> Mapping[str, Mapping[str, Any]]:
    """The organisation's active custom fields of this entity, by key; empty if not readable."""
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


def value_of(definition: Mapping[str, Any], value: Any) -> Any:
    """A value for this field as the CRM takes it. Raises `ToolError`.

    BottleCRM makes a float of a number and text of anything else, and checks no more.
    """
    if isinstance(value, Mapping | list):
        raise ToolError("invalid_value", f"Give one value for {definition['key']}.")
    if definition.get("field_type") != "number" or value in (None, ""):
        return value
    try:
        number = scalars.decimal(value)
    except ToolError as problem:
        said = f"{definition['key']}: {problem.message}"
        raise ToolError(problem.code, said) from problem
    return float(number) if isinstance(value, str) else value


def described(definition: Mapping[str, Any]) -> dict[str, Any]:
    """A custom field as `crm_describe` shows it."""
    about: dict[str, Any] = {
        "name": f"custom_fields.{definition['key']}",
        "label": definition.get("label"),
        "type": definition.get("field_type"),
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
