"""A few records of what the assistant serves on request, for one organisation of the demo."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from demo_crm.models import (
    Board,
    BoardColumn,
    BoardMember,
    BoardTask,
    Document,
    Estimate,
    EstimateLineItem,
    Macro,
    Product,
    RecurringInvoice,
    RecurringInvoiceLineItem,
    SalesGoal,
)

if TYPE_CHECKING:
    from demo_crm.seed import Records

PRODUCTS = (
    # name, SKU, price, category
    ("Robot arm", "ARM-1", 18500, "Machines"),
    ("Gripper", "GRP-2", 950, "Parts"),
    ("Yearly maintenance", "SRV-12", 2400, "Services"),
)
ESTIMATES = (
    # title, status, price, days until it expires
    ("Second robot arm", "Draft", 18500, 30),
    ("Maintenance for a year", "Sent", 2400, 14),
    ("Gripper set", "Sent", 5700, -3),
)
RECURRING = (
    # title, frequency, price, is it active
    ("Maintenance", "QUARTERLY", 600, True),
    ("Software licence", "MONTHLY", 180, False),
)
COLUMNS = (
    # column, its cards
    ("To Do", ("Collect quotes for the stand", "Write the invitation")),
    ("In Progress", ("Design the poster",)),
    ("Done", ("Book the hall",)),
)
DOCUMENTS = (
    ("Price list", "price-list.pdf", 284_000),
    ("Safety instructions", "safety.pdf", 96_000),
)
MACROS = (
    ("We are on it", "Hello %customer_name%, we are looking into “%case_subject%”."),
    ("Ask for photos", "Hello %customer_name%, could you send us a photo of the part?"),
)


def make_extras(records: Records) -> None:
    for name, sku, price, category in PRODUCTS:
        values: dict[str, Any] = {
            "price": price,
            "currency": records.company.currency,
            "category": category,
        }
        records.add(Product, name=name, sku=sku, **values)
    for index, estimate in enumerate(ESTIMATES):
        _make_estimate(records, index, *estimate)
    for index, recurring in enumerate(RECURRING):
        _make_recurring(records, index, *recurring)
    _make_goals(records)
    _make_board(records)
    _make_library(records)


def _customer(records: Records, index: int) -> dict[str, Any]:
    account = records.accounts[index % len(records.accounts)]
    contact = account.contacts.earliest("first_name")
    return {
        "account": account,
        "contact": contact,
        "client_name": str(contact),
        "client_email": contact.email,
        "currency": records.company.currency,
    }


def _make_estimate(records: Records, index: int, title: str, status: str, *terms: int) -> None:
    price, expires = terms
    estimate: Estimate = records.owned(
        Estimate,
        title=title,
        status=status,
        expiry_date=records.day(expires),
        sent_at=None if status == "Draft" else timezone.now() - timedelta(days=7),
        **_customer(records, index),
    )
    item = EstimateLineItem(estimate=estimate, org=records.org, name=title, unit_price=price)
    _priced(item, estimate)


def _make_recurring(
    records: Records, index: int, title: str, frequency: str, price: int, active: bool
) -> None:
    recurring: RecurringInvoice = records.owned(
        RecurringInvoice,
        title=title,
        frequency=frequency,
        is_active=active,
        next_generation_date=records.day(20),
        **_customer(records, index),
    )
    item = RecurringInvoiceLineItem(
        recurring_invoice=recurring, org=records.org, name=title, unit_price=price
    )
    _priced(item, recurring)


def _priced(item: Any, record: Any) -> None:
    item.unit_price = Decimal(item.unit_price)
    item.compute()
    item.save()
    record.recalculate()


def _make_goals(records: Records) -> None:
    year = records.today.replace(month=1, day=1)
    period = {"period_start": year, "period_end": year.replace(month=12, day=31)}
    values: dict[str, Any] = {"goal_type": "REVENUE", "period_type": "YEARLY", **period}
    records.add(SalesGoal, name="This year", target_value=400_000, **values)
    own: dict[str, Any] = {"target_value": 90_000, "assigned_to": records.user}
    records.add(SalesGoal, name=f"This year, {records.user.user}", **own, **values)


def _make_board(records: Records) -> None:
    board = records.add(Board, name="Trade fair", owner=records.admin)
    for profile, role in ((records.admin, "owner"), (records.user, "member")):
        records.add(BoardMember, board=board, profile=profile, role=role)
    for order, (name, cards) in enumerate(COLUMNS, 1):
        column = records.add(BoardColumn, board=board, name=name, order=order)
        for place, title in enumerate(cards):
            card = records.add(BoardTask, column=column, title=title, order=place)
            card.assigned_to.add(records.user)


def _make_library(records: Records) -> None:
    for title, file_name, size in DOCUMENTS:
        document = records.add(Document, title=title, file_name=file_name, size_bytes=size)
        document.teams.add(records.sales)
    for title, body in MACROS:
        records.add(Macro, title=title, body=body)
