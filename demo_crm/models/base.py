"""Base models, and the fields that many models have."""

import uuid
from typing import Any

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models

from demo_crm.countries import COUNTRIES

phone_number = RegexValidator(
    r"^[\d\s\-\(\)\+\.]{7,25}$", "A phone number has 7 to 25 digits and separators."
)


class TimeStamped(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True


class OrgOwned(TimeStamped):
    """A row of one organisation; its table is under row-level security."""

    org = models.ForeignKey("demo_crm.Org", on_delete=models.CASCADE, related_name="+")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    updated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        abstract = True
        # As BottleCRM has it: the newest of an organisation are read off it.
        indexes = (models.Index(fields=["org", "-created_at"]),)


class Addressed(models.Model):
    address_line = models.CharField(max_length=255, null=True, blank=True)
    city = models.CharField(max_length=255, null=True, blank=True)
    state = models.CharField(max_length=255, null=True, blank=True)
    postcode = models.CharField(max_length=64, null=True, blank=True)
    country = models.CharField(max_length=3, choices=COUNTRIES, null=True, blank=True)

    class Meta:
        abstract = True


def optional_text(max_length: int = 255, **options: Any) -> Any:
    return models.CharField(max_length=max_length, null=True, blank=True, **options)


def money(**options: Any) -> Any:
    return models.DecimalField(max_digits=12, decimal_places=2, **options)


def link(to: str, related_name: str, **options: Any) -> Any:
    """An optional relation; the record outlives what it points to unless it says otherwise."""
    options.setdefault("on_delete", models.SET_NULL)
    return models.ForeignKey(to, null=True, blank=True, related_name=related_name, **options)
