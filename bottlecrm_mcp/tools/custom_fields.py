"""The fields that an organisation added to an entity."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bottlecrm_mcp.catalogue.model import Entity
from bottlecrm_mcp.tools.crm import Crm


def definitions(crm: Crm, entity: Entity) -> Mapping[str, Mapping[str, Any]]:
    """The organisation's active custom fields of this entity, by key; empty if not readable."""
    path = crm.catalogue.custom_fields_path
    if not (path and entity.custom_fields and crm.caller.may("custom-fields", "read")):
        return {}
    reply = crm.gateway.read(path, {"target_model": entity.custom_fields})
    rows = reply.data.get("definitions", ()) if reply.ok and isinstance(reply.data, dict) else ()
    return {row["key"]: row for row in rows if row.get("is_active", True)}


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
