"""Money: what is easily missed in the amounts that a write has left behind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from bottlecrm_mcp.catalogue.model import (
    ACCOUNT,
    CURRENCY,
    DUE,
    LINE_ITEMS,
    TAX_RATE,
    TOTAL,
    Entity,
)
from bottlecrm_mcp.gateway.base import GatewayError
from bottlecrm_mcp.gateway.shared.rows import dig
from bottlecrm_mcp.tools.crm import Crm
from bottlecrm_mcp.tools.errors import ToolError

Record = Mapping[str, Any]


def money_warnings(
    crm: Crm, entity: Entity, record: Record | None, written: Iterable[str]
) -> list[str]:
    """What to tell of the amounts of a record in which the fields `written` were set."""
    set_now = set(written)
    money = {each.name for each in entity.fields if each.money or each.name == LINE_ITEMS}
    if record is None or set_now.isdisjoint(money | {CURRENCY, ACCOUNT, TAX_RATE}):
        return []
    lines = record.get(LINE_ITEMS) or ()
    told = [
        untaxed(record, lines),
        _nothing_due(entity, record),
        _currency(crm, entity, record, money),
    ]
    return [each for each in told if each]


def untaxed(record: Record, lines: Iterable[Record]) -> str:
    """That the tax of these line items is not in the record's total; empty where they have none."""
    if not any(_amount(each.get(TAX_RATE)) for each in lines):
        return ""
    return (
        f"The tax_rate of line items is not in {TOTAL} ({record.get(TOTAL)}): the CRM adds only "
        f"the {TAX_RATE} of the document as a whole, which crm_update sets."
    )


def _nothing_due(entity: Entity, record: Record) -> str:
    if entity.field(DUE) is None or _amount(record.get(TOTAL)) > 0:
        return ""
    return f"Nothing is due: {TOTAL} is {record.get(TOTAL) or 0}. Line items make it."


def _currency(crm: Crm, entity: Entity, record: Record, money: set[str]) -> str:
    if entity.field(CURRENCY) is None or not any(_amount(record.get(name)) for name in money):
        return ""
    used = record.get(CURRENCY)
    try:
        usual, whose = _usual_currency(crm, entity, record)
    except (GatewayError, ToolError):
        # The record is saved: that this can't be compared is no failure.
        return ""
    if not usual or used == usual:
        return ""
    if not used:
        return f"The amount has no currency; {whose} uses {usual}. Set currency if that is meant."
    return f"currency is {used}, but {whose} uses {usual}. Set currency if that is not meant."


def _usual_currency(crm: Crm, entity: Entity, record: Record) -> tuple[str, str]:
    """The currency of the record's account, or else of the organisation, and whose it is."""
    account, relation = record.get(ACCOUNT), entity.field(ACCOUNT)
    accounts = crm.catalogue.entity(relation.to) if relation else None
    if account and accounts and crm.may(accounts, "read"):
        field = accounts.field(CURRENCY)
        found = crm.find(accounts, [account["id"]], [field] if field else [])
        if used := found.get(account["id"], {}).get(CURRENCY):
            return used, f"its account {account.get('name') or account['id']}"
    reply = crm.gateway.read(crm.catalogue.organisation_path)
    usual = dig(reply.data, "default_currency") if reply.ok else None
    return str(usual or ""), "the organisation"


def _amount(value: Any) -> Decimal:
    """The amount that a record shows; 0 where it shows none."""
    is_number = isinstance(value, str | int | float) and value
    return Decimal(str(value)) if is_number else Decimal(0)
