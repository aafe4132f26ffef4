"""Models of sales: contacts, accounts, leads and opportunities."""

from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import Q, Sum
from django.utils import timezone

from demo_crm import choices
from demo_crm.models.base import Addressed, OrgOwned, link, money, optional_text, phone_number
from demo_crm.models.people import Profile, Tag, Team


class Contact(OrgOwned, Addressed):
    first_name = models.CharField(max_length=255)
    last_name = models.CharField(max_length=255)
    email = models.EmailField(null=True, blank=True)
    phone = optional_text(25, validators=[phone_number])
    organization = optional_text()
    title = optional_text()
    department = optional_text()
    do_not_call = models.BooleanField(default=False)
    linkedin_url = models.URLField(null=True, blank=True)
    description = models.TextField(null=True, blank=True)
    account = link("demo_crm.Account", "primary_contacts")
    is_active = models.BooleanField(default=True)
    custom_fields = models.JSONField(default=dict, blank=True)
    assigned_to = models.ManyToManyField(Profile, related_name="contact_assigned_users")
    teams = models.ManyToManyField(Team, related_name="contact_teams")
    tags = models.ManyToManyField(Tag, related_name="contact_tags")

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name}"


class Account(OrgOwned, Addressed):
    name = models.CharField(max_length=255)
    email = models.EmailField(null=True, blank=True)
    phone = optional_text(25, validators=[phone_number])
    website = models.URLField(null=True, blank=True)
    industry = optional_text(choices=choices.INDUSTRY)
    number_of_employees = models.PositiveIntegerField(null=True, blank=True)
    annual_revenue = models.DecimalField(max_digits=15, decimal_places=2, null=True, blank=True)
    currency = optional_text(3, choices=choices.CURRENCY)
    description = models.TextField(null=True, blank=True)
    is_active = models.BooleanField(default=True)
    custom_fields = models.JSONField(default=dict, blank=True)
    contacts = models.ManyToManyField(Contact, related_name="account_contacts")
    assigned_to = models.ManyToManyField(Profile, related_name="account_assigned_users")
    teams = models.ManyToManyField(Team, related_name="account_teams")
    tags = models.ManyToManyField(Tag, related_name="account_tags")

    def __str__(self) -> str:
        return self.name


class Lead(OrgOwned, Addressed):
    title = optional_text()
    salutation = optional_text(64)
    first_name = optional_text()
    last_name = optional_text()
    email = models.EmailField(null=True, blank=True)
    phone = optional_text(25, validators=[phone_number])
    job_title = optional_text()
    website = optional_text()
    linkedin_url = models.URLField(max_length=500, null=True, blank=True)
    status = optional_text(choices=choices.LEAD_STATUS)
    source = optional_text(choices=choices.LEAD_SOURCE)
    industry = optional_text(choices=choices.INDUSTRY)
    rating = optional_text(10, choices=choices.LEAD_RATING)
    opportunity_amount = money(null=True, blank=True)
    currency = optional_text(3, choices=choices.CURRENCY)
    probability = models.IntegerField(default=0, null=True, blank=True)
    close_date = models.DateField(null=True, blank=True)
    last_contacted = models.DateField(null=True, blank=True)
    next_follow_up = models.DateField(null=True, blank=True)
    description = models.TextField(null=True, blank=True)
    company_name = optional_text()
    is_active = models.BooleanField(default=True)
    kanban_order = models.DecimalField(max_digits=15, decimal_places=6, default=0)
    custom_fields = models.JSONField(default=dict, blank=True)
    assigned_to = models.ManyToManyField(Profile, related_name="lead_assigned_users")
    teams = models.ManyToManyField(Team, related_name="lead_teams")
    tags = models.ManyToManyField(Tag, related_name="lead_tags")
    contacts = models.ManyToManyField(Contact, related_name="lead_contacts")

    class Meta(OrgOwned.Meta):
        constraints = (
            models.CheckConstraint(
                condition=Q(probability__range=(0, 100)), name="lead_probability"
            ),
            models.CheckConstraint(condition=Q(opportunity_amount__gte=0), name="lead_amount"),
        )

    def __str__(self) -> str:
        names = (self.salutation, self.first_name, self.last_name)
        return " ".join(name for name in names if name) or f"Lead {self.pk}"


class Opportunity(OrgOwned):
    name = models.CharField(max_length=255)
    account = link("demo_crm.Account", "opportunities", on_delete=models.CASCADE)
    stage = models.CharField(
        max_length=64, choices=choices.OPPORTUNITY_STAGE, default="PROSPECTING"
    )
    opportunity_type = optional_text(64, choices=choices.OPPORTUNITY_TYPE)
    currency = optional_text(3, choices=choices.CURRENCY)
    amount = money(null=True, blank=True)
    amount_source = models.CharField(max_length=20, default="MANUAL")
    probability = models.IntegerField(default=0, null=True, blank=True)
    closed_on = models.DateField(null=True, blank=True)
    closed_by = link("demo_crm.Profile", "opportunity_closed_by")
    lead_source = optional_text(choices=choices.OPPORTUNITY_SOURCE)
    description = models.TextField(null=True, blank=True)
    is_active = models.BooleanField(default=True)
    stage_changed_at = models.DateTimeField(default=timezone.now)
    kanban_order = models.DecimalField(max_digits=15, decimal_places=6, default=0)
    custom_fields = models.JSONField(default=dict, blank=True)
    contacts = models.ManyToManyField(Contact, related_name="opportunity_contacts")
    assigned_to = models.ManyToManyField(Profile, related_name="opportunity_assigned_users")
    teams = models.ManyToManyField(Team, related_name="opportunity_teams")
    tags = models.ManyToManyField(Tag, related_name="opportunity_tags")

    class Meta(OrgOwned.Meta):
        constraints = (
            models.CheckConstraint(
                condition=Q(probability__range=(0, 100)), name="opportunity_probability"
            ),
            models.CheckConstraint(condition=Q(amount__gte=0), name="opportunity_amount"),
        )

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """On purpose: no probability, and one of zero, becomes that of the stage."""
        self.probability = self.probability or choices.STAGE_PROBABILITY[self.stage]
        super().save(*args, **kwargs)

    @property
    def line_items_total(self) -> Decimal:
        return self.line_items.aggregate(total=Sum("total"))["total"] or Decimal(0)


class LineItem(OrgOwned):
    """What the line items of opportunities and of invoices have in common."""

    name = optional_text()
    description = models.CharField(max_length=500, blank=True)
    quantity = models.DecimalField(max_digits=10, decimal_places=2, default=1)
    unit_price = money(default=0)
    discount_type = models.CharField(
        max_length=20, choices=choices.DISCOUNT_TYPE, blank=True, default=""
    )
    discount_value = money(default=0)
    discount_amount = money(default=0)
    subtotal = money(default=0)
    total = money(default=0)
    order = models.PositiveIntegerField(default=0)

    class Meta:
        abstract = True
        ordering = ("order", "created_at")

    def compute(self) -> None:
        self.subtotal = self.quantity * self.unit_price
        self.discount_amount = discount(self.discount_type, self.discount_value, self.subtotal)
        self.total = self.subtotal - self.discount_amount


def discount(kind: str, value: Decimal, subtotal: Decimal) -> Decimal:
    return subtotal * value / 100 if kind == "PERCENTAGE" else value


class OpportunityLineItem(LineItem):
    opportunity = models.ForeignKey(
        Opportunity, on_delete=models.CASCADE, related_name="line_items"
    )

    def __str__(self) -> str:
        return self.name or str(self.pk)
