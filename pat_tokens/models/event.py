"""Event model: the entries of the log."""

import uuid
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import OuterRef, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

NEWEST = ("-created_at", "-id")


class EventQuerySet(models.QuerySet["Event"]):
    def counted(self) -> Self:
        """Each entry with how many it stands for."""
        counts = RefusalCount.objects.filter(event_id=OuterRef("pk")).values("times")
        return self.annotate(times=Coalesce(Subquery(counts), Value(1)))


class Event(models.Model):
    """Something that happened to or through a token. Row-level security lets none be changed.

    No foreign keys: an entry outlives the token, the person and the record it tells of.
    """

    class Kind(models.TextChoices):
        CREATED = "created"
        ADOPTED = "adopted"
        NEW_ADDRESS = "new_address", "used from a new address"
        EDITED = "edited"
        PAUSED = "paused"
        RESUMED = "resumed"
        ROTATED = "rotated"
        EXPIRED = "expired"
        REVOKED = "revoked"
        REFUSED = "refused"
        POLICY = "policy", "policy changed"
        WRITE = "write"
        PRUNED = "pruned", "old entries removed"
        CONNECTED = "connected"
        DISCONNECTED = "disconnected"
        REPLAYED = "replayed", "credential used twice"
        STOPPED = "stopped", "agents stopped"
        STARTED = "started", "agents allowed again"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    org_id = models.UUIDField(editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    kind = models.CharField(max_length=20, choices=Kind.choices, editable=False)
    actor_id = models.CharField(max_length=64, blank=True, editable=False)
    actor = models.CharField(max_length=255, blank=True, editable=False)
    # Of a connection rather than of one of its access tokens, which change.
    token_id = models.UUIDField(null=True, editable=False)
    token_name = models.CharField(max_length=255, blank=True, editable=False)
    token_prefix = models.CharField(max_length=20, blank=True, editable=False)
    address = models.GenericIPAddressField(null=True, editable=False)
    client = models.CharField(max_length=100, blank=True, editable=False)
    tool = models.CharField(max_length=50, blank=True, editable=False)
    entity = models.CharField(max_length=50, blank=True, editable=False)
    record_id = models.CharField(max_length=64, blank=True, editable=False)
    outcome = models.CharField(max_length=50, blank=True, editable=False)
    detail = models.CharField(max_length=255, blank=True, editable=False)

    # Annotated by `counted`.
    times: int = 1

    objects: ClassVar[Any] = EventQuerySet.as_manager()

    class Meta:
        ordering = NEWEST
        indexes = (
            models.Index(fields=["token_id", "kind"], name="pat_tokens_event_of_token"),
            # One for each filter, so that a page costs the same however long the log is.
            models.Index(fields=["org_id", *NEWEST], name="pat_tokens_event_by_time"),
            models.Index(fields=["org_id", "actor_id", *NEWEST], name="pat_tokens_event_by_actor"),
            models.Index(fields=["org_id", "token_id", *NEWEST], name="pat_tokens_event_by_token"),
            models.Index(fields=["org_id", "kind", *NEWEST], name="pat_tokens_event_by_kind"),
            models.Index(fields=["org_id", "entity", *NEWEST], name="pat_tokens_event_by_entity"),
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.token_prefix}…"


class RefusalCount(models.Model):
    """How many refusals one entry stands for; beside the log, because entries can't be changed."""

    event_id = models.UUIDField(primary_key=True, editable=False)
    org_id = models.UUIDField(editable=False)
    times = models.PositiveIntegerField(default=0, editable=False)

    def __str__(self) -> str:
        return f"{self.times} refusals"
