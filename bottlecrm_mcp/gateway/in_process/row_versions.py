"""Row versions: whether a row is still as this call read it when the call writes to it.

PostgreSQL's own `xmin` tells: every change of a row, whoever makes it, gives it another. A time of
change would miss what `QuerySet.update` and SQL do.
"""

from __future__ import annotations

from django.db import connection
from django.db.models import Model
from psycopg import sql

from bottlecrm_mcp.gateway.base import Watched

VERSION = sql.SQL("SELECT xmin::text FROM {table} WHERE {key} = %s")
# A key that others refer to stays the same: comments and the like don't wait for this.
LOCKED = sql.SQL(" FOR NO KEY UPDATE")


class WatchedRow(Watched):
    """One row; all of it runs where the caller's organisation is set in the database."""

    def __init__(self, model: type[Model], record_id: str) -> None:
        table, key = model._meta.db_table, str(model._meta.pk.column)
        self._select = VERSION.format(table=sql.Identifier(table), key=sql.Identifier(key))
        self._record_id = record_id
        self._noted: str | None = None

    def note(self) -> None:
        """Remember the version that the first read of the call found."""
        if self._noted is None:
            self._noted = self._version(self._select)

    def lock_unchanged(self) -> bool:
        """Lock the row until the transaction ends; whether it is what was read.

        A row that is gone, or was never read, is the view's affair.
        """
        if self._noted is None:
            return True
        return self._version(self._select + LOCKED) in (self._noted, None)

    def _version(self, select: sql.Composed) -> str | None:
        with connection.cursor() as cursor:
            cursor.execute(select.as_string(), [self._record_id])
            row = cursor.fetchone()
        return row[0] if row else None
