"""Idempotency: a write that a client gave a key is done once in a day, however often it is sent.

Everything here runs where the caller's organisation is set in the database.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import DatabaseError, connection
from django.db.models import Q, QuerySet
from django.utils import timezone

from bottlecrm_mcp.gateway.base import (
    KEY_REUSED,
    Caller,
    EarlierWrite,
    GatewayError,
    WriteKey,
)
from bottlecrm_mcp.models import KeyedWrite

logger = logging.getLogger("bottlecrm_mcp")

LIFETIME = timedelta(hours=24)
MOST_PRUNED = 100

# One statement, so that of two writes at once the second waits for the first to end: if that is
# committed it gets no row, if that is rolled back it is the first. A row that is too old is reused.
CLAIM = """
INSERT INTO bottlecrm_mcp_keyedwrite AS kept
    (id, org_id, token_id, key, digest, tool, entity, record_id, unsent, created_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, '[]', %s)
ON CONFLICT (org_id, token_id, key) DO UPDATE SET
    digest = excluded.digest, tool = excluded.tool, entity = excluded.entity,
    record_id = excluded.record_id, unsent = excluded.unsent, created_at = excluded.created_at
WHERE kept.created_at <= %s
RETURNING id
"""

NEWEST_COLUMN = "SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attname = 'unsent'"

MIGRATE = "manage.py migrate bottlecrm_mcp"
NOT_MIGRATED = GatewayError(
    "not_supported",
    f"This CRM can't recognise repeated calls yet: its administrator has to run `{MIGRATE}`. "
    "Nothing was changed. Without idempotency_key the call works.",
)


class Claim:
    """One key of one caller."""

    def __init__(self, caller: Caller, key: WriteKey) -> None:
        self.key = key
        self._rows = KeyedWrite.objects.filter(
            org_id=caller.org_id, token_id=caller.token_id, key=key.key
        )
        self._owner = (caller.org_id, caller.token_id)
        self._other_call: KeyedWrite | None = None

    def earlier(self) -> KeyedWrite | None:
        """The write that was made under this key, if that was not too long ago.

        Also one of those that a call on several records made under it.
        """
        under = _under(*self._owner, self.key.key)
        return under.filter(created_at__gt=_cutoff()).order_by("key").first()

    def kept(self) -> KeyedWrite:
        """What kept this one from being the first, however long ago."""
        return self._other_call or self._rows.get()

    def take(self) -> bool:
        """Whether this is the first write under the key. Only in the transaction of the write."""
        key = self.key
        if key.call and not self._is_of_this_call():
            return False
        is_first = self._take(key.key, key.digest, key.record_id)
        if is_first:
            self._prune()
        return is_first

    def _is_of_this_call(self) -> bool:
        """Whether the call's own key is this call's: of two at once that share it one has it."""
        own = self.key.key.partition(":")[0]
        if self._take(own, self.key.call, ""):
            return True
        org_id, token_id = self._owner
        kept = KeyedWrite.objects.get(org_id=org_id, token_id=token_id, key=own)
        if kept.digest == self.key.call:
            return True
        self._other_call = kept
        return False

    def _take(self, key: str, digest: str, record_id: str) -> bool:
        now = timezone.now()
        row = (uuid.uuid4(), *self._owner, key, digest, self.key.tool, self.key.entity, record_id)
        with connection.cursor() as cursor:
            cursor.execute(CLAIM, [*row, now, now - LIFETIME])
            return cursor.fetchone() is not None

    def settle(self, record_id: str, tasks: Sequence[str]) -> None:
        """Note the record, and the background tasks that are to be handed over after the commit."""
        self._rows.update(record_id=record_id, unsent=list(tasks))

    def note_unsent(self, tasks: Sequence[str]) -> None:
        """Note, after the commit, which tasks could not be handed over."""
        try:
            self._rows.update(unsent=list(tasks))
        except DatabaseError:
            # The write is done. A repeated call is told that this is not known.
            logger.exception("What became of background tasks could not be noted")

    def _prune(self) -> None:
        """Remove some rows of the organisation that are too old, but wait for nobody."""
        old = KeyedWrite.objects.filter(org_id=self._owner[0], created_at__lte=_cutoff())
        found = old.select_for_update(skip_locked=True).values_list("pk", flat=True)
        if keys := list(found[:MOST_PRUNED]):
            KeyedWrite.objects.filter(pk__in=keys).delete()

    def require_same(self, earlier: KeyedWrite) -> None:
        """Raises `GatewayError` if the key was used for another write."""
        if earlier.digest != self.key.digest:
            raise KEY_REUSED


def earlier_of(row: KeyedWrite) -> EarlierWrite:
    return EarlierWrite(row.record_id, tuple(row.unsent), row.digest)


def writes_under(caller: Caller, key: str) -> dict[str, EarlierWrite]:
    """The writes that were made under this key, by what a call on several records added to it."""
    rows = _under(caller.org_id, caller.token_id, key).filter(created_at__gt=_cutoff())
    return {row.key[len(key) + 1 :]: earlier_of(row) for row in rows}


def _under(org_id: str, token_id: str, key: str) -> QuerySet[KeyedWrite]:
    rows = KeyedWrite.objects.filter(org_id=org_id, token_id=token_id)
    return rows.filter(Q(key=key) | Q(key__startswith=f"{key}:"))


def is_migrated() -> bool:
    """Whether the table of keyed writes is there, with its newest column."""
    with connection.cursor() as cursor:
        cursor.execute(NEWEST_COLUMN, [KeyedWrite._meta.db_table])
        return cursor.fetchone() is not None


def _cutoff() -> datetime:
    return timezone.now() - LIFETIME
