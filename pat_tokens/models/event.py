import uuid

from django.db import models
from django.utils import timezone


class Event(models.Model):
    """Something that happened to or through a token. Row-level security lets none be changed.

    No foreign keys: an entry outlives the token, the person and the record it tells of.
    """

    class Kind(models.TextChoices):
        CREATED = "created"
        ADOPTED = "adopted"
        NEW_ADDRESS = "new_address", "used from a new address"
        ROTATED = "rotated"
        EXPIRED = "expired"
        REVOKED = "revoked"
        REFUSED = "refused"
        POLICY = "policy", "policy changed"
        WRITE = "write"
        CONNECTED = "connected"
        DISCONNECTED = "disconnected"
        REPLAYED = "replayed", "credential used twice"

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

    class Meta:
        ordering = ("-created_at", "-id")
        indexes = (
            models.Index(fields=["org_id", "-created_at"], name="pat_tokens_event_newest"),
            models.Index(fields=["token_id", "kind"], name="pat_tokens_event_of_token"),
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.token_prefix}…"
