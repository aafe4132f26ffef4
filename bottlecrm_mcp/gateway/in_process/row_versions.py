"""Row versions: whether a row is still as this call read it when the call writes to it.

PostgreSQL's own `xmin` tells: every change of a row, whoever makes it, gives it another. A time of
change would miss what `QuerySet.update` and SQL do. The links of its many-to-many fields are rows
of other tables, and are a part of its version here.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Protocol

from django.db import connection
from django.db.models import Model
from psycopg import sql

from bottlecrm_mcp.gateway.base import Dependents, Watched

VERSION = sql.SQL("SELECT concat_ws(' ', {parts}) FROM {table} WHERE {key} = %s")
XMIN = sql.SQL("xmin::text")
LINKS = sql.SQL("""
(SELECT string_agg({theirs}::text, ',' ORDER BY {theirs}) FROM {links} WHERE {ours} = {record})
""")
# A key that others refer to stays the same: comments and the like don't wait for this.
LOCKED = " FOR NO KEY UPDATE"
# Nothing more may refer to what is about to go.
LOCKED_FOR_GOOD = " FOR UPDATE"


class WatchedRow(Watched):
    """One row, and what goes with it where `look` says what that is.

    All of it runs where the caller's organisation is set in the database.
    """

    def __init__(
        self, model: type[Model], record_id: str, look: Callable[[], Dependents] | None = None
    ) -> None:
        self.order = (model._meta.db_table, record_id)
        self._select = _version_of(model)
        self._lock = LOCKED_FOR_GOOD if look else LOCKED
        self._record_id = record_id
        self._look = look
        self._noted: str | None = None
        self.dependents: Dependents | None = None

    def note(self) -> None:
        """Remember the version that the first read of the call found; empty for no row."""
        if self._noted is None:
            self._noted = self._version(self._select)
            self.dependents = self._look() if self._look and self._noted else None

    def lock_unchanged(self) -> bool:
        """Lock the row until the transaction ends; whether it and its dependents are as read.

        A row that is gone, or was never read, is the view's affair.
        """
        if self._noted is None:
            return True
        version = self._version(self._select + self._lock)
        if not version:
            return True
        # Only now: who adds to them refers to the row, and is done or waits.
        return version == self._noted and (not self._look or self._look() == self.dependents)

    def _version(self, select: str) -> str:
        with connection.cursor() as cursor:
            cursor.execute(select, [self._record_id])
            row = cursor.fetchone()
        return row[0] if row else ""


@cache
def _version_of(model: type[Model]) -> str:
    table, key = model._meta.db_table, str(model._meta.pk.column)
    select = VERSION.format(
        parts=sql.SQL(", ").join([XMIN, *_links(model, sql.Identifier(table, key))]),
        table=sql.Identifier(table),
        key=sql.Identifier(key),
    )
    return select.as_string()


def _links(model: type[Model], record: sql.Identifier) -> list[sql.Composed]:
    """What each many-to-many field of the record points to."""
    fields = [each for each in model._meta.many_to_many if each.remote_field.through]
    return [
        LINKS.format(
            theirs=sql.Identifier(each.m2m_reverse_name()),
            links=sql.Identifier(each.m2m_db_table()),
            ours=sql.Identifier(each.m2m_column_name()),
            record=record,
        )
        for each in fields
    ]


class PartVersion(Protocol):
    """Reads the version of one row, and locks it on request."""

    def __call__(self, *, lock: bool) -> str: ...


class WatchedPart(Watched):
    """One row of those that belong to a record, such as a comment."""

    def __init__(self, version: PartVersion, part: str) -> None:
        # After the records: they are locked from the top down.
        self.order = ("~", part)
        self._version = version
        self._noted: str | None = None

    def note(self) -> None:
        """Remember the version that the first read of the call found."""
        if self._noted is None:
            self._noted = self._version(lock=False)

    def lock_unchanged(self) -> bool:
        """Lock the row until the transaction ends; whether it is as it was read."""
        return self._noted is None or self._version(lock=True) in (self._noted, "")
