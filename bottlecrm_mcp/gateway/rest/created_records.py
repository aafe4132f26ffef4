"""Created records, where the REST API does not say which: by values, creator and time."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from bottlecrm_mcp.catalogue.model import CREATED, CREATOR, Entity, Field, Kind
from bottlecrm_mcp.gateway.base import (
    Caller,
    Condition,
    GatewayError,
    NotAvailable,
    Read,
    Refused,
    Reply,
    RowQuery,
)
from bottlecrm_mcp.gateway.shared import in_memory
from bottlecrm_mcp.gateway.shared.rest_query import rest_page, takes
from bottlecrm_mcp.gateway.shared.rows import EMPTY, dig, row_of

# HTTP dates have whole seconds, and clocks of several servers differ a little.
MARGIN = timedelta(seconds=2)
MOST_RECORDS = 100
MOST_CANDIDATES = 5


class CreatedRecords:
    """Finds the records that one caller creates; each is given out once."""

    def __init__(self, caller: Caller, read: Read) -> None:
        self.caller = caller
        self.read = read
        self._known: set[str] = set()

    def now(self) -> float:
        return time.monotonic()

    def identified(
        self,
        entity: Entity,
        body: Mapping[str, Any],
        reply: Reply,
        answered: datetime,
        started: float,
    ) -> Reply:
        """The reply with the id of the new record, or with the records that may be it."""
        record = dig(reply.data, entity.detail_key) or reply.data
        if isinstance(record, Mapping) and record.get("id"):
            return replace(reply, created_id=str(record["id"]))
        if not self.caller.may(entity.resource, "read"):
            return reply
        since = answered - timedelta(seconds=self.now() - started) - MARGIN
        try:
            found = self._candidates(entity, body, since)
        except (GatewayError, NotAvailable, Refused):
            # The record is there; that it can't be shown is no reason to report a failure.
            return reply
        if len(found) != 1:
            return replace(reply, candidates=tuple(found[:MOST_CANDIDATES]))
        self._known.add(found[0]["id"])
        return replace(reply, created_id=found[0]["id"])

    def _candidates(
        self, entity: Entity, body: Mapping[str, Any], since: datetime
    ) -> list[Mapping[str, Any]]:
        created = entity.field(CREATED)
        fields = tuple(each for each in entity.fields if each.listed and not each.computed)
        if created is None:
            return []
        recent = Condition(created, "gte", since.isoformat())
        sent = (recent,) if takes(entity, recent) else ()
        query = RowQuery(fields, conditions=sent, limit=MOST_RECORDS)
        rows = in_memory.matching(rest_page(self.read, entity, query).rows, (recent,))
        alike = [
            row
            for row in rows
            if row["id"] not in self._known and all(_agrees(each, body, row) for each in fields)
        ]
        return [row for row in alike if self._is_own(entity, row)]

    def _is_own(self, entity: Entity, row: Mapping[str, Any]) -> bool:
        creator = entity.field(CREATOR)
        if creator is None or not self.caller.user_id:
            return True
        if not creator.listed:
            reply = self.read(entity.record_path(row["id"]), {})
            row = row_of((creator,), dig(reply.data, entity.detail_key) or {})
        return self.caller.user_id in in_memory.related_ids(row.get(creator.name))


def _agrees(field: Field, body: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    """Whether the row has what was sent for this field, if anything was."""
    sent, shown = body.get(field.body_name), row.get(field.name)
    if field.body_name not in body or field.kind in (Kind.OBJECT, Kind.OBJECTS):
        return True
    if field.kind.is_relation:
        wanted = set(sent) if isinstance(sent, list) else {sent} if sent else set()
        return wanted <= in_memory.related_ids(shown)
    if sent in EMPTY or shown in EMPTY:
        return sent in EMPTY
    value = sent.strip() if isinstance(sent, str) else sent
    return bool(in_memory.comparable(field.kind, value) == in_memory.comparable(field.kind, shown))
