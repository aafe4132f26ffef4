"""What a customer may order: products, estimates, and invoices that come again."""

from datetime import date
from typing import Any

from django.db import models
from django.utils import timezone

from demo_crm.choices import CURRENCY, DISCOUNT_TYPE, PAYMENT_TERMS
from demo_crm.countries import COUNTRIES
from demo_crm.models.base import OrgOwned, link, money, optional_text
from demo_crm.models.billing import TaxedLineItem, next_number, text, total_of
from demo_crm.models.people import Profile, Team
from tests.whole_crm import choices


class Product(OrgOwned):
    name = models.CharField(max_length=255)
    description = models.TextField(null=True, blank=True)
    sku = optional_text(100)
    price = money(default=0)
    currency = optional_text(3, choices=CURRENCY)
    category = optional_text(100)
    is_active = models.BooleanField(default=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["sku", "org"], name="one_product_per_sku"),)

    def __str__(self) -> str:
        return self.name


class Quoted(OrgOwned):
    """What estimates and recurring invoices have in common."""

    title = models.CharField(max_length=100)
    contact = link("demo_crm.Contact", "+")
    opportunity = link("demo_crm.Opportunity", "+")
    client_name = text()
    client_email = models.EmailField(blank=True, default="")
    subtotal = money(default=0)
    discount_type = text(20, choices=DISCOUNT_TYPE)
    discount_value = money(default=0)
    tax_rate = models.DecimalField(max_digits=5, decimal_places=2, default=0)
    total_amount = money(default=0)
    currency = models.CharField(max_length=3, choices=CURRENCY, default="USD")
    notes = models.TextField(blank=True, default="")
    terms = models.TextField(blank=True, default="")
    custom_fields = models.JSONField(default=dict, blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.title

    def recalculate(self) -> None:
        total_of(self)
        self.save()


class Estimate(Quoted):
    estimate_number = models.CharField(max_length=50, editable=False)
    status = models.CharField(max_length=20, choices=choices.ESTIMATE_STATUS, default="Draft")
    # An account with estimates can't be deleted.
    account = models.ForeignKey(
        "demo_crm.Account", on_delete=models.PROTECT, related_name="estimates"
    )
    client_phone = text(25)
    client_address_line = text()
    client_city = text(100)
    client_state = text(100)
    client_postcode = text(20)
    client_country = text(3, choices=COUNTRIES)
    discount_amount = money(default=0)
    tax_amount = money(default=0)
    issue_date = models.DateField(default=timezone.localdate)
    expiry_date = models.DateField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    viewed_at = models.DateTimeField(null=True, blank=True)
    accepted_at = models.DateTimeField(null=True, blank=True)
    declined_at = models.DateTimeField(null=True, blank=True)
    public_link_enabled = models.BooleanField(default=True)
    converted_to_invoice = link("demo_crm.Invoice", "from_estimates")
    assigned_to = models.ManyToManyField(Profile, related_name="estimate_assigned_to")
    teams = models.ManyToManyField(Team, related_name="estimates_teams")

    @property
    def is_expired(self) -> bool:
        open_ = self.status not in ("Accepted", "Declined")
        return open_ and self.expiry_date is not None and self.expiry_date < timezone.localdate()

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self.estimate_number:
            self.estimate_number = next_number(Estimate, self.org, "estimate_number", "EST")
        super().save(*args, **kwargs)


class RecurringInvoice(Quoted):
    is_active = models.BooleanField(default=True)
    account = models.ForeignKey(
        "demo_crm.Account", on_delete=models.PROTECT, related_name="recurring_invoices"
    )
    frequency = models.CharField(
        max_length=20, choices=choices.RECURRING_FREQUENCY, default="MONTHLY"
    )
    custom_days = models.PositiveIntegerField(null=True, blank=True)
    start_date = models.DateField(default=date.today)
    end_date = models.DateField(null=True, blank=True)
    # On purpose: today, whenever the schedule starts.
    next_generation_date = models.DateField(default=date.today)
    payment_terms = models.CharField(max_length=20, choices=PAYMENT_TERMS, default="NET_30")
    auto_send = models.BooleanField(default=False)
    invoices_generated = models.PositiveIntegerField(default=0)
    assigned_to = models.ManyToManyField(Profile, related_name="recurring_invoice_assigned_to")
    teams = models.ManyToManyField(Team, related_name="recurring_invoices_teams")


class EstimateLineItem(TaxedLineItem):
    estimate = models.ForeignKey(Estimate, on_delete=models.CASCADE, related_name="line_items")


class RecurringInvoiceLineItem(TaxedLineItem):
    recurring_invoice = models.ForeignKey(
        RecurringInvoice, on_delete=models.CASCADE, related_name="line_items"
    )
