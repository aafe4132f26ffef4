"""Models of billing: invoices, their line items and payments."""

import secrets
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import Sum
from django.utils import timezone

from demo_crm import choices
from demo_crm.countries import COUNTRIES
from demo_crm.models.base import OrgOwned, link, money, optional_text
from demo_crm.models.people import Profile, Team
from demo_crm.models.sales import LineItem, discount

TERM_DAYS = {"DUE_ON_RECEIPT": 0, "NET_15": 15, "NET_30": 30, "NET_45": 45, "NET_60": 60}


def text(max_length: int = 255, **options: Any) -> Any:
    """Unlike everywhere else, an invoice stores "not known" as an empty string."""
    return models.CharField(max_length=max_length, blank=True, default="", **options)


class Invoice(OrgOwned):
    invoice_number = models.CharField(max_length=50, editable=False)
    invoice_title = models.CharField(max_length=100)
    status = models.CharField(max_length=20, choices=choices.INVOICE_STATUS, default="Draft")
    # An account with invoices can't be deleted.
    account = models.ForeignKey(
        "demo_crm.Account", on_delete=models.PROTECT, related_name="invoices"
    )
    contact = link("demo_crm.Contact", "invoices")
    opportunity = link("demo_crm.Opportunity", "invoices")
    client_name = text()
    client_email = models.EmailField(blank=True, default="")
    client_phone = text(25)
    billing_address_line = text()
    billing_city = text(100)
    billing_state = text(100)
    billing_postcode = text(20)
    billing_country = text(3, choices=COUNTRIES)
    client_address_line = text()
    client_city = text(100)
    client_state = text(100)
    client_postcode = text(20)
    client_country = text(3, choices=COUNTRIES)
    subtotal = money(default=0)
    discount_type = text(20, choices=choices.DISCOUNT_TYPE)
    discount_value = money(default=0)
    discount_amount = money(default=0)
    tax_rate = models.DecimalField(max_digits=5, decimal_places=2, default=0)
    tax_amount = money(default=0)
    shipping_amount = money(default=0)
    total_amount = money(default=0)
    currency = models.CharField(max_length=3, choices=choices.CURRENCY, default="USD")
    amount_paid = money(default=0)
    amount_due = money(default=0)
    issue_date = models.DateField(default=timezone.localdate)
    due_date = models.DateField(null=True, blank=True)
    payment_terms = models.CharField(max_length=20, choices=choices.PAYMENT_TERMS, default="NET_30")
    sent_at = models.DateTimeField(null=True, blank=True)
    viewed_at = models.DateTimeField(null=True, blank=True)
    paid_at = models.DateTimeField(null=True, blank=True)
    reminder_enabled = models.BooleanField(default=True)
    reminder_days_before = models.PositiveIntegerField(default=3)
    reminder_days_after = models.PositiveIntegerField(default=7)
    reminder_frequency = models.CharField(
        max_length=20, choices=choices.REMINDER_FREQUENCY, default="ONCE"
    )
    # Opens the invoice to whoever has it, without signing in.
    public_token = models.CharField(max_length=64, default=secrets.token_urlsafe, editable=False)
    public_link_enabled = models.BooleanField(default=True)
    notes = models.TextField(blank=True, default="")
    terms = models.TextField(blank=True, default="")
    billing_period = optional_text(100)
    po_number = optional_text(100)
    custom_fields = models.JSONField(default=dict, blank=True)
    assigned_to = models.ManyToManyField(Profile, related_name="invoice_assigned_to")
    teams = models.ManyToManyField(Team, related_name="invoices_teams")

    def __str__(self) -> str:
        return f"{self.invoice_number} {self.invoice_title}"

    @property
    def is_overdue(self) -> bool:
        open_ = self.status not in ("Paid", "Cancelled")
        return open_ and self.due_date is not None and self.due_date < timezone.localdate()

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self.invoice_number:
            self.invoice_number = next_number(Invoice, self.org, "invoice_number", "INV")
        if self.due_date is None:
            days = TERM_DAYS.get(self.payment_terms, 30)
            self.due_date = self.issue_date + timedelta(days=days)
        super().save(*args, **kwargs)

    def recalculate(self) -> None:
        """BottleCRM leaves the line items' own taxes out of the invoice's total."""
        total_of(self)
        self.total_amount += self.shipping_amount
        self.amount_due = self.total_amount - self.amount_paid
        self.save()

    def apply_payments(self) -> None:
        self.amount_paid = self.payments.aggregate(sum=Sum("amount"))["sum"] or Decimal(0)
        self.amount_due = self.total_amount - self.amount_paid
        if self.status != "Cancelled":
            self.status = self._status_by_payment()
        if self.status == "Paid" and self.paid_at is None:
            self.paid_at = timezone.now()
        self.save()

    def _status_by_payment(self) -> str:
        if self.amount_due <= 0:
            return "Paid"
        if self.amount_paid > 0:
            return "Partially_Paid"
        # On purpose: an invoice whose payments are all removed stays what they made it.
        return self.status


def total_of(record: Any) -> None:
    record.subtotal = record.line_items.aggregate(sum=Sum("subtotal"))["sum"] or Decimal(0)
    record.discount_amount = discount(record.discount_type, record.discount_value, record.subtotal)
    taxable = record.subtotal - record.discount_amount
    record.tax_amount = taxable * record.tax_rate / 100
    record.total_amount = taxable + record.tax_amount


def next_number(model: type[models.Model], org: Any, field: str, kind: str) -> str:
    prefix = f"{kind}-{date.today():%Y%m%d}-"
    last = (
        model._default_manager.filter(org=org, **{f"{field}__startswith": prefix})
        .order_by(f"-{field}")
        .values_list(field, flat=True)
        .first()
    )
    return f"{prefix}{int(last.removeprefix(prefix)) + 1 if last else 1:04}"


class TaxedLineItem(LineItem):
    tax_rate = models.DecimalField(max_digits=5, decimal_places=2, default=0)
    tax_amount = money(default=0)

    class Meta(LineItem.Meta):
        abstract = True

    def __str__(self) -> str:
        return self.name or str(self.pk)

    def compute(self) -> None:
        super().compute()
        self.tax_amount = self.total * self.tax_rate / 100
        self.total += self.tax_amount


class InvoiceLineItem(TaxedLineItem):
    invoice = models.ForeignKey(Invoice, on_delete=models.CASCADE, related_name="line_items")


class Payment(OrgOwned):
    invoice = models.ForeignKey(Invoice, on_delete=models.CASCADE, related_name="payments")
    amount = money()
    payment_date = models.DateField()
    payment_method = models.CharField(max_length=20, choices=choices.PAYMENT_METHOD)
    reference_number = text(100)
    notes = models.TextField(blank=True, default="")

    def __str__(self) -> str:
        return f"{self.amount} on {self.payment_date}"
