"""Policy model: one row for an organisation."""

from datetime import timedelta

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

MAX_DAYS = 3650
MAX_DAILY = 1_000_000
DAILY = [MaxValueValidator(MAX_DAILY)]


class Policy(models.Model):
    """What an organisation allows its tokens and connections; without a row it allows all."""

    class Agents(models.TextChoices):
        ON = "on", "Read and write"
        READ_ONLY = "read_only", "Read only"
        OFF = "off", "Nothing: tokens are switched off"

    class Confirmation(models.TextChoices):
        EXPLICIT = "explicit", "The assistant confirms"
        SEALED = "sealed", "The assistant confirms what the preview showed"

    class Clients(models.TextChoices):
        ANY = "any", "Any client"
        LISTED = "listed", "Clients of the hosts below"
        NONE = "none", "No client"

    class Access(models.TextChoices):
        READ_ONLY = "read_only", "Read only"
        READ_WRITE = "read_write", "Read and write"

    org_id = models.UUIDField(primary_key=True, editable=False)
    agents = models.CharField(max_length=10, choices=Agents.choices, default=Agents.ON)
    max_lifetime_days = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(MAX_DAYS)]
    )
    confirmation = models.CharField(
        max_length=10, choices=Confirmation.choices, default=Confirmation.EXPLICIT
    )
    # Of connections by OAuth.
    clients = models.CharField(max_length=10, choices=Clients.choices, default=Clients.ANY)
    client_hosts = models.JSONField(default=list, blank=True)
    max_connection_days = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(MAX_DAYS)]
    )
    default_access = models.CharField(
        max_length=10, choices=Access.choices, default=Access.READ_ONLY
    )
    # Of one token in a day; without a number the default of the settings.
    max_writes = models.PositiveIntegerField(null=True, blank=True, validators=DAILY)
    max_deletes = models.PositiveIntegerField(null=True, blank=True, validators=DAILY)
    max_mails = models.PositiveIntegerField(null=True, blank=True, validators=DAILY)
    # While it is set no token and no connection does anything, whatever else is said here.
    stopped_at = models.DateTimeField(null=True, editable=False)
    stopped_by = models.CharField(max_length=255, blank=True, editable=False)
    stop_reason = models.CharField(max_length=255, blank=True, editable=False)
    updated_at = models.DateTimeField(auto_now=True)
    updated_by = models.CharField(max_length=255, blank=True, editable=False)

    class Meta:
        verbose_name_plural = "policies"

    def __str__(self) -> str:
        return f"Policy of organisation {self.org_id}"

    @property
    def max_lifetime(self) -> timedelta | None:
        """Of a token; None where the organisation sets no limit."""
        return timedelta(days=self.max_lifetime_days) if self.max_lifetime_days else None

    @property
    def longest_connection(self) -> timedelta | None:
        """The shorter of both limits; None where the organisation sets none."""
        limits = [each for each in (self.max_lifetime_days, self.max_connection_days) if each]
        return timedelta(days=min(limits)) if limits else None

    @property
    def stop(self) -> str | None:
        """The reason for which all are stopped; None where they are not."""
        return self.stop_reason if self.stopped_at else None

    @property
    def sealed(self) -> bool:
        return self.confirmation == self.Confirmation.SEALED
