"""Refused writes: what the CRM does not say of its refusal and can be known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bottlecrm_mcp.catalogue.model import Entity
from bottlecrm_mcp.gateway.base import (
    Condition,
    GatewayError,
    NotAvailable,
    Refused,
    Reply,
    RowQuery,
)
from bottlecrm_mcp.tools.crm import Crm, label_fields
from bottlecrm_mcp.tools.errors import NOTHING_CHANGED, ToolError, raise_for

TAKEN = "already"
MOST_HOLDERS = 3


def raise_for_write(
    crm: Crm, entity: Entity, reply: Reply, subject: str, body: Mapping[str, Any]
) -> None:
    """`raise_for` of a create or update, which also names the record that has the value already.

    Says what a failure of the CRM may come of, where that is known.
    """
    try:
        raise_for(reply, subject, wrote=True)
    except ToolError as refusal:
        if refusal.code == "crm_error" and entity.known_failure:
            refusal.hint = f"{refusal.hint} {entity.known_failure}"
        taken = [name for name, said in refusal.fields.items() if TAKEN in said.lower()]
        if taken and crm.may(entity, "read"):
            _name_holders(crm, entity, refusal, {name: body.get(name) for name in taken})
        raise


def _name_holders(crm: Crm, entity: Entity, refusal: ToolError, values: Mapping[str, Any]) -> None:
    """Who has these values, as far as this person sees it."""
    refusal.candidates = [
        {"id": row["id"], "name": crm.label(entity, row), "same": [name]}
        for name, value in values.items()
        for row in _holders(crm, entity, name, value)
    ]
    hidden = f" {entity.hidden_note}" if entity.hidden_note else ""
    refusal.hint = (
        f"{NOTHING_CHANGED} The record that has it is named: update that one instead."
        if refusal.candidates
        else f"{NOTHING_CHANGED} The record that has it is in no list of this person.{hidden}"
    )


def _holders(crm: Crm, entity: Entity, name: str, value: Any) -> list[Mapping[str, Any]]:
    field = entity.field(name)
    if field is None or not isinstance(value, str) or not value:
        return []
    conditions = (Condition(field, "eq", value),)
    query = RowQuery(label_fields(entity), conditions=conditions, limit=MOST_HOLDERS)
    try:
        return list(crm.gateway.page(entity, query).rows)
    except (GatewayError, NotAvailable, Refused):
        # A courtesy: the refusal stands without it.
        return []
