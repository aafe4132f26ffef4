"""Token look-up: the row of a digest with its owner, organisation and policy, in one round trip.

Every request with a token begins with it, and building and compiling its query took more time than
running it. So that is compiled once, and PostgreSQL keeps it prepared; the row is always read anew.
"""

import hashlib
from collections.abc import Sequence
from functools import cache
from typing import Any
from weakref import WeakSet

import psycopg
from django.db import connection
from django.db.models import Q
from psycopg.errors import (
    DuplicatePreparedStatement,
    FeatureNotSupported,
    InvalidSqlStatementName,
    ProtocolViolation,
)

from pat_tokens.models import Token
from pat_tokens.rls import DIGEST_VARIABLE, presenting

PRESENT = "SELECT set_config(%s, %s, true)"
# In one message, which is one transaction: the setting ends with it.
PRESENT_AND_FIND = PRESENT + "; EXECUTE {} (%s)"
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


# Connections on which the statement is prepared, and those that did not keep it, for which it would
# be prepared each time for nothing.
_prepared: WeakSet[psycopg.Connection[Any]] = WeakSet()
_forgetful: WeakSet[psycopg.Connection[Any]] = WeakSet()


def _row_in_one_trip(digest: str) -> Any:
    raw: psycopg.Connection[Any] = connection.connection
    with connection.wrap_database_errors:
        if raw not in _forgetful:
            try:
                return _prepared_row(raw, digest)
            except NOT_AS_PREPARED:
                _forgetful.add(raw)
        return _pipelined_row(raw, digest)


def _prepared_row(raw: psycopg.Connection[Any], digest: str) -> Any:
    # Statements in one message take half of what a pipeline does. psycopg quotes the values.
    cursor, values = psycopg.ClientCursor(raw), [DIGEST_VARIABLE, digest, digest]
    if raw in _prepared:
        cursor.execute(compiled().prepared, values)
    else:
        try:
            cursor.execute(compiled().preparing(raw), values)
        except DuplicatePreparedStatement:
            # Behind a pooler somebody else has done so: the name tells what is prepared.
            cursor.execute(compiled().prepared, values)
        _prepared.add(raw)
    while cursor.nextset():
        pass
    return cursor.fetchone()


def _pipelined_row(raw: psycopg.Connection[Any], digest: str) -> Any:
    # The statements of a pipeline are one transaction, too.
    with raw.pipeline():
        psycopg.Cursor(raw).execute(PRESENT, [DIGEST_VARIABLE, digest], prepare=False)
        cursor = psycopg.Cursor(raw).execute(*compiled().statement(digest), prepare=False)
    return cursor.fetchone()


class Compiled:
    """The query as SQL, and what makes a token of its row."""

    def __init__(self) -> None:
        tokens = Token.objects.governed().select_related("owner__user", "owner__org", "connection")
        found = Q(digest=ANY_DIGEST) | Q(previous_digest=ANY_DIGEST)
        compiler = tokens.filter(found).order_by()[:1].query.get_compiler(connection=connection)
        self._sql, self._parameters = compiler.as_sql()
        told = repr((self._sql, self._parameters)).encode()
        name = f"pat_tokens_{hashlib.sha256(told).hexdigest()[:16]}"
        self._preparation = f"PREPARE {name} (text) AS "
        self.prepared = PRESENT_AND_FIND.format(name).encode()
        self._compiler: Any = compiler
        columns = [column for column, *_ in compiler.select]
        self._converters = compiler.get_converters(columns)
        self._annotations: dict[str, int] = compiler.annotation_col_map
        self._token = Instances(compiler.klass_info, columns)

    def statement(self, digest: str) -> tuple[str, list[Any]]:
        return self._sql, [digest if each == ANY_DIGEST else each for each in self._parameters]

    def preparing(self, raw: psycopg.Connection[Any]) -> bytes:
        """The same with what prepares it before, with the digest as its parameter."""
        whole = psycopg.ClientCursor(raw).mogrify(*self.statement(ANY_DIGEST))
        query = whole.replace(f"'{ANY_DIGEST}'", "$1").replace("%", "%%")
        return f"{self._preparation}{query}; ".encode() + self.prepared

    def token(self, row: tuple[Any, ...]) -> Token:
        [values] = self._compiler.apply_converters([row], self._converters)
        token: Token = self._token.of(values)
        for name, place in self._annotations.items():
            setattr(token, name, values[place])
        return token


class Instances:
    """Makes instances of a model of their columns in a row, with those that they point to.

    As Django's `ModelIterable`, which finds out anew for each query where the columns are.
    """

    def __init__(self, described: Any, columns: Sequence[Any]) -> None:
        self._model = described["model"]
        options = self._model._meta
        places = {columns[place].target.attname: place for place in described["select_fields"]}
        self._names = [each.attname for each in options.concrete_fields if each.attname in places]
        self._places = [places[name] for name in self._names]
        self._key = places[options.pk.attname]
        self._related = [
            (each["local_setter"], each["remote_setter"], Instances(each, columns))
            for each in described.get("related_klass_infos", ())
        ]

    def of(self, row: Sequence[Any]) -> Any:
        if row[self._key] is None:
            return None
        values = [row[place] for place in self._places]
        instance = self._model.from_db(connection.alias, self._names, values)
        for set_here, set_there, others in self._related:
            other = others.of(row)
            set_here(instance, other)
            if other is not None:
                set_there(other, instance)
        return instance


@cache
def compiled() -> Compiled:
    return Compiled()
