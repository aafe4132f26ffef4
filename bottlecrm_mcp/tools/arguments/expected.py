"""Comparison of values: what a record holds beside what is expected of it, or would be written."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from bottlecrm_mcp.catalogue.model import CUSTOM_FIELDS, Entity, Field, Kind
from bottlecrm_mcp.gateway.shared.rows import EMPTY
from bottlecrm_mcp.tools.arguments.custom_fields import PREFIX
from bottlecrm_mcp.tools.arguments.list_changes import is_list_change
from bottlecrm_mcp.tools.arguments.references import References
from bottlecrm_mcp.tools.arguments.values import Values, sent_value
from bottlecrm_mcp.tools.crm import Crm
from bottlecrm_mcp.tools.errors import NOTHING_CHANGED, ToolError
from bottlecrm_mcp.tools.truncation import LONGEST_IN_LIST, compact, cut_texts

Record = Mapping[str, Any]


def is_same(field: Field, sent: Any, shown: Any) -> bool:
    """Whether a value as a request has it is that which a record shows."""
    if field.kind is Kind.RELATIONS:
        return set(sent or ()) == set(sent_value(field, shown))
    if field.kind is Kind.RELATION:
        return bool((sent or None) == sent_value(field, shown))
    if field.kind is Kind.OBJECTS:
        # The CRM makes all of them anew.
        return sent in EMPTY and shown in EMPTY
    if sent in EMPTY or shown in EMPTY:
        return sent in EMPTY and shown in EMPTY
    if field.kind in (Kind.INTEGER, Kind.DECIMAL):
        return _is_same_number(sent, shown)
    if field.kind is Kind.DATETIME:
        return datetime.fromisoformat(str(sent)) == datetime.fromisoformat(str(shown))
    return _text(sent) == _text(shown)


def differences(
    entity: Entity, given: Record, understood: Record, before: Record
) -> dict[str, dict[str, Any]]:
    """Of each field that an update would change: what it holds, and what it would hold."""
    found: dict[str, dict[str, Any]] = {}
    for field in entity.writable_fields:
        if field.name not in given:
            continue
        sent, shown = given[field.name], before.get(field.name)
        if field.kind is Kind.OBJECT:
            found |= _of_custom_fields(sent or {}, shown or {})
        elif not is_same(field, sent, shown):
            found[field.name] = {"before": shown, "after": understood.get(field.name, sent)}
    return found


def require_expected(
    crm: Crm,
    entity: Entity,
    expect: Record,
    record: Record,
    subject: str,
    references: References | None = None,
) -> None:
    """Raises `ToolError` (conflict) if a field of the record does not hold what is expected."""
    problems = {}
    for name, wanted, field, shown in _pairs(crm, entity, expect, record, references):
        if not is_same(field, wanted, shown):
            now = "Is empty now." if shown in EMPTY else f"Is {_said(shown)} now."
            problems[name] = now
    if problems:
        raise ToolError(
            "conflict",
            f"{subject} no longer holds what was expected.",
            fields=problems,
            hint=f"{NOTHING_CHANGED} Look at it again, and ask the person.",
        )


def _pairs(
    crm: Crm, entity: Entity, expect: Record, record: Record, references: References | None
) -> list[tuple[str, Any, Field, Any]]:
    """Each expected field by name, with its value as a request has it and that of the record."""
    read_only = {
        name: value
        for name, value in expect.items()
        if (field := entity.field(name)) and not field.writable
    }
    written = {name: value for name, value in expect.items() if name not in read_only}
    for field in entity.writable_fields:
        if is_list_change(field, written.get(field.name)):
            raise ToolError("invalid_value", f"expect: give all that {field.name} is to hold.")
        if field.kind is Kind.OBJECTS and field.name in written:
            raise ToolError("not_supported", f"expect: {field.name} can't be compared.")
    values = Values(crm, "expect", references).read_expected(entity, written)
    pairs = []
    for field in entity.fields:
        if field.kind is Kind.OBJECT and field.body_name in values.body:
            shown = record.get(field.name) or {}
            pairs += [
                (f"{PREFIX}{key}", value, Field(key, Kind.TEXT), shown.get(key))
                for key, value in values.body[field.body_name].items()
            ]
        elif field.body_name in values.body:
            pairs.append((field.name, values.body[field.body_name], field, record.get(field.name)))
        elif field.name in read_only:
            wanted = read_only[field.name]
            if field.kind.is_relation:
                wanted = sent_value(field, wanted)
            pairs.append((field.name, wanted, field, record.get(field.name)))
    return pairs


def _of_custom_fields(sent: Record, shown: Record) -> dict[str, dict[str, Any]]:
    return {
        f"{CUSTOM_FIELDS}.{key}": {"before": shown.get(key), "after": value}
        for key, value in sent.items()
        if not is_same(Field(key, Kind.TEXT), value, shown.get(key))
    }


def _is_same_number(sent: Any, shown: Any) -> bool:
    try:
        return Decimal(str(sent)) == Decimal(str(shown))
    except InvalidOperation:
        return False


def _text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip()


def _said(shown: Any) -> str:
    return compact(cut_texts(shown, LONGEST_IN_LIST))
