"""Organisation of a session: what the requests of one call set and clear, without the repetition.

Each request sets `app.current_org` and clears it at its end, and the next one of the call sets the
same again. So a clear waits for the next statement: where that sets the same organisation, neither
is sent; before any other one the clear is. Whoever opens this clears the session after it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

from bottlecrm_mcp.gateway.in_process.hooks.queryset_capture import ORG_VARIABLE

CLEAR = f"SELECT set_config('{ORG_VARIABLE}', '', false)"
# As BottleCRM's middleware does it. What is set otherwise is sent, and is not known afterwards.
_SET = re.compile(
    rf"SELECT set_config\('{re.escape(ORG_VARIABLE)}', (?:%s|'(?P<value>[^'%]*)'), false\)"
)
_MAY_SET = re.compile(r"set_config|^\s*(?:SET|RESET|DISCARD)\b", re.IGNORECASE)


class OrgContext:
    """A wrapper of Django's `execute` that leaves out clears and sets which undo each other."""

    def __init__(self) -> None:
        # Whether the connection was used at all.
        self.is_used = False
        # What is known to be set, on which connection, and whether the host has cleared it since.
        self._org = ""
        self._raw: Any = None
        self._is_owed = False

    @contextmanager
    def open(self) -> Iterator[None]:
        # Before the wrapper that counts statements: what is not sent is none.
        connection.execute_wrappers.insert(0, self)
        try:
            yield
        finally:
            connection.execute_wrappers.remove(self)

    def __call__(
        self, execute: Callable[..., Any], sql: Any, parameters: Any, many: bool, context: Any
    ) -> Any:
        self.is_used = True
        if self._raw is not connection.connection:
            self._forget()
        # A rollback takes back what is set in a transaction.
        org = None if connection.in_atomic_block else _org_set_by(sql, parameters)
        if self._org and org == "":
            self._is_owed = True
            return None
        if self._is_owed and org == self._org:
            self._is_owed = False
            return None
        if not org:
            self._clear_if_owed()
        result = execute(sql, parameters, many, context)
        if org:
            self._org, self._raw, self._is_owed = org, connection.connection, False
        elif _may_set(sql, parameters):
            self._forget()
        return result

    def _clear_if_owed(self) -> None:
        if self._is_owed:
            with connection.wrap_database_errors, connection.connection.cursor() as cursor:
                cursor.execute(CLEAR)
            self._forget()

    def _forget(self) -> None:
        self._org, self._raw, self._is_owed = "", None, False


def _org_set_by(sql: Any, parameters: Any) -> str | None:
    """The organisation that this sets for the session, "" if it clears it, None for all else."""
    match = _SET.fullmatch(sql) if isinstance(sql, str) else None
    if match is None:
        return None
    return str(parameters[0]) if match["value"] is None else match["value"]


def _may_set(sql: Any, parameters: Any) -> bool:
    said = str(sql)
    match = _MAY_SET.search(said)
    return match is not None and (
        match[0] != "set_config" or ORG_VARIABLE in f"{said} {parameters}"
    )
