"""Token look-up: the row of a digest with its owner, organisation and policy, in one round trip.

Every request with a token begins with it, and building and compiling its query took more time than
running it. So that is compiled once, and PostgreSQL keeps it prepared; the row is always read anew.
"""

from copy import copy
from functools import cache
from typing import Any
from weakref import WeakSet

import psycopg
from django.db import connection
from django.db.models import Q, QuerySet
from django.db.models.query import ModelIterable
from psycopg.errors import (
    DuplicatePreparedStatement,
    FeatureNotSupported,
    InvalidSqlStatementName,
    ProtocolViolation,
)

from pat_tokens.models import Token
from pat_tokens.rls import DIGEST_VARIABLE, presenting

PRESENT = "SELECT set_config(%s, %s, true)"
# After a migration, after a host that discards what sessions keep, and behind a pooler that lends
# another session for each transaction.
NOT_AS_PREPARED = (
    DuplicatePreparedStatement,
    FeatureNotSupported,
    InvalidSqlStatementName,
    ProtocolViolation,
)
# Stands for the digest in what is compiled.
ANY_DIGEST = "0" * 64


def look_up(digest: str) -> Token | None:
    """The token whose secret, or whose secret before the last rotation, has this digest."""
    if connection.vendor == "postgresql" and connection.get_autocommit():
        row = _row_in_one_trip(digest)
    else:
        with presenting(digest), connection.cursor() as cursor:
            cursor.execute(*compiled().statement(digest))
            row = cursor.fetchone()
    return compiled().token(row) if row else None


# Connections that did not keep what was prepared: it would be prepared for nothing each time.
_forgetful: WeakSet[psycopg.Connection[Any]] = WeakSet()


def _row_in_one_trip(digest: str) -> Any:
    raw: psycopg.Connection[Any] = connection.connection
    with connection.wrap_database_errors:
        if raw not in _forgetful:
            try:
                return _prepared_row(raw, digest)
            except NOT_AS_PREPARED:
                _forgetful.add(raw)
        return _pipelined_row(raw, digest, prepare=False)


def _prepared_row(raw: psycopg.Connection[Any], digest: str) -> Any:
    # Django has psycopg prepare nothing.
    before, raw.prepare_threshold = raw.prepare_threshold, 0
    try:
        return _pipelined_row(raw, digest, prepare=True)
    finally:
        raw.prepare_threshold = before


def _pipelined_row(raw: psycopg.Connection[Any], digest: str, *, prepare: bool) -> Any:
    # The statements of a pipeline are one transaction, so the setting ends with it. Django's own
    # cursor would put the values into the statement.
    with raw.pipeline():
        psycopg.Cursor(raw).execute(PRESENT, [DIGEST_VARIABLE, digest], prepare=prepare)
        cursor = psycopg.Cursor(raw).execute(*compiled().statement(digest), prepare=prepare)
    return cursor.fetchone()


class Compiled:
    """The query as SQL, and what makes a model's instance of its row."""

    def __init__(self) -> None:
        tokens = Token.objects.governed().select_related("owner__user", "owner__org", "connection")
        found = Q(digest=ANY_DIGEST) | Q(previous_digest=ANY_DIGEST)
        self._query = tokens.filter(found).order_by()[:1].query
        self._compiler = self._query.get_compiler(connection=connection)
        self._sql, self._parameters = self._compiler.as_sql()

    def statement(self, digest: str) -> tuple[str, list[Any]]:
        return self._sql, [digest if each == ANY_DIGEST else each for each in self._parameters]

    def token(self, row: tuple[Any, ...]) -> Token:
        """By Django's own means, which only have the row already."""
        query: Any = copy(self._query)
        compiler: Any = copy(self._compiler)
        query.get_compiler = lambda **options: compiler
        compiler.execute_sql = lambda **options: [[row]]
        token: Token = next(iter(ModelIterable(QuerySet(Token, query))))
        return token


@cache
def compiled() -> Compiled:
    return Compiled()
