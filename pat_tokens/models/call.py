"""Call model: the log of every tool call, reads and refusals too. No values of records."""

from typing import Any, ClassVar

from django.db import models
from django.utils import timezone

NEWEST = ("-created_at", "-id")
FILTERED = ("actor_id", "token_id", "client", "tool", "entity", "outcome")


class Call(models.Model):
    """One call of a tool. Row-level security lets none be changed.

    No foreign keys: it outlives the token, the person and the records it tells of.
    """

    class Outcome(models.TextChoices):
        OK = "ok", "Done"
        PREVIEW = "preview"
        REFUSED = "refused"
        ERROR = "error"
        # `records` of these calls were not logged: the database did not take them in time.
        LOST = "lost", "Not logged"

    # Named here, so that a host's DEFAULT_AUTO_FIELD changes no migration.
    id = models.BigAutoField(primary_key=True, editable=False)
    org_id = models.UUIDField(editable=False)
    # When the call began.
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    actor_id = models.CharField(max_length=64, blank=True, editable=False)
    actor = models.CharField(max_length=255, blank=True, editable=False)
    # Of a connection rather than of one of its access tokens, which change.
    token_id = models.UUIDField(null=True, editable=False)
    token_name = models.CharField(max_length=255, blank=True, editable=False)
    client = models.CharField(max_length=100, blank=True, editable=False)
    client_version = models.CharField(max_length=50, blank=True, editable=False)
    tool = models.CharField(max_length=50, blank=True, editable=False)
    entity = models.CharField(max_length=50, blank=True, editable=False)
    # Of a call about one record; those of a call about several are rows of `CallRecord`.
    record_id = models.CharField(max_length=64, blank=True, editable=False)
    # How many records the answer is about.
    records = models.PositiveIntegerField(default=0, editable=False)
    # Names, comma separated: of the filters of a read, of what a write changed.
    fields = models.CharField(max_length=500, blank=True, editable=False)
    outcome = models.CharField(max_length=10, choices=Outcome.choices, editable=False)
    # The kind of a refusal or error, as the client was told.
    code = models.CharField(max_length=50, blank=True, editable=False)
    # Whether the tool can write: such calls are kept longer.
    writes = models.BooleanField(default=False, editable=False)
    ms = models.PositiveIntegerField(default=0, editable=False)

    # Of a call about several records, until it is stored.
    record_ids: tuple[str, ...] = ()

    objects: ClassVar[Any] = models.Manager()

    class Meta:
        ordering = NEWEST
        indexes = (
            # One for each filter, so that a page costs the same however long the log is.
            # Also for filters that leave little of each other: it has all that they look at.
            models.Index(
                fields=["org_id", *NEWEST], include=FILTERED, name="pat_tokens_call_by_time"
            ),
            models.Index(fields=["org_id", "actor_id", *NEWEST], name="pat_tokens_call_by_actor"),
            models.Index(fields=["org_id", "token_id", *NEWEST], name="pat_tokens_call_by_token"),
            models.Index(fields=["org_id", "client", *NEWEST], name="pat_tokens_call_by_client"),
            models.Index(fields=["org_id", "tool", *NEWEST], name="pat_tokens_call_by_tool"),
            models.Index(fields=["org_id", "entity", *NEWEST], name="pat_tokens_call_by_entity"),
            models.Index(fields=["org_id", "outcome", *NEWEST], name="pat_tokens_call_by_outcome"),
            models.Index(
                fields=["org_id", "record_id", *NEWEST],
                condition=~models.Q(record_id=""),
                name="pat_tokens_call_by_record",
            ),
        )

    def __str__(self) -> str:
        return f"{self.tool} {self.entity}: {self.outcome}"

    @property
    def about(self) -> tuple[str, ...]:
        """The ids of its records."""
        return self.record_ids or ((self.record_id,) if self.record_id else ())


class CallRecord(models.Model):
    """One record of a call about several."""

    id = models.BigAutoField(primary_key=True, editable=False)
    # Without a constraint, as old calls are removed before their records.
    call = models.ForeignKey(
        Call,
        models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        editable=False,
        related_name="+",
    )
    # Of the call: a record's calls are read in this order.
    created_at = models.DateTimeField(editable=False)
    org_id = models.UUIDField(editable=False)
    record_id = models.CharField(max_length=64, editable=False)

    objects: ClassVar[Any] = models.Manager()

    class Meta:
        indexes = (
            models.Index(
                fields=["org_id", "record_id", "-created_at", "-call"],
                name="pat_tokens_callrecord_by_time",
            ),
            models.Index(fields=["call"], name="pat_tokens_callrecord_of_call"),
        )

    def __str__(self) -> str:
        return f"{self.record_id} in call {self.call_id}"
