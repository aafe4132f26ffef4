"""Models: idempotency keys of writes, and open forms. No data of the CRM is stored."""

import uuid

from django.db import models
from django.utils import timezone


class KeyedWrite(models.Model):
    """A write that a client gave a key of its own, so that a repetition of it is recognised.

    It holds nothing of the record but its id, and the names of the background tasks that are not
    known to have reached the message broker. Row-level security hides it from other
    organisations; written in the transaction of the write, it stands or falls with it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    org_id = models.UUIDField(editable=False)
    # Of a token of any source.
    token_id = models.CharField(max_length=64, editable=False)
    # A digest: what a client makes its key of is its own.
    key = models.CharField(max_length=128, editable=False)
    # Of the tool and its arguments.
    digest = models.CharField(max_length=64, editable=False)
    tool = models.CharField(max_length=50, editable=False)
    entity = models.CharField(max_length=50, editable=False)
    record_id = models.CharField(max_length=64, blank=True, editable=False)
    # The default in the database is for processes of an older release, while a newer one starts.
    unsent = models.JSONField(default=list, db_default=[], editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["org_id", "token_id", "key"], name="bottlecrm_mcp_keyedwrite_once"
            ),
        )
        indexes = (
            models.Index(fields=["org_id", "created_at"], name="bottlecrm_mcp_keyedwrite_age"),
        )

    def __str__(self) -> str:
        return f"{self.tool} on {self.entity}"


class OpenForm(models.Model):
    """A form that a person has before them, until the call that asked for it has their answer.

    It is asked for by one request and answered by another, at any worker; nothing of what it says
    is kept. Row-level security hides it from other organisations.
    """

    # Of the request that asks for it: who answers has to know it.
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    org_id = models.UUIDField(editable=False)
    profile_id = models.CharField(max_length=64, editable=False)
    # Of a token of any source.
    token_id = models.CharField(max_length=64, editable=False)
    # Accepted, declined, cancelled or not shown; empty until then.
    answer = models.CharField(max_length=10, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        indexes = (
            models.Index(fields=["org_id", "created_at"], name="bottlecrm_mcp_openform_age"),
        )

    def __str__(self) -> str:
        return f"Form {self.pk}"
