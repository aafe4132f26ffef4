"""Statement cache: the SQL of a read, compiled once for each form that it takes.

Django takes five times as long to build and compile the query of a page as to run it. Only its
conditions are compiled for each call: they hold who asks, and for what. The rest is kept by their
text, by the columns, the order and the window. No value of a condition is kept, and no row.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from functools import cached_property
from typing import Any

from django.core.exceptions import EmptyResultSet, FullResultSet
from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import QuerySet
from django.db.models.sql import Query

# Forms: filters and pages have many, of which most calls take a few. Some kB each.
MOST_KEPT = 500

_kept: dict[Hashable, Statement] = {}


class Read:
    """What is read of these rows, by Django itself where a statement can't be kept."""

    def __init__(self, rows: QuerySet[Any]) -> None:
        self.rows = rows

    @cached_property
    def _conditions(self) -> Conditions | None:
        try:
            return Conditions(self.rows.query)
        except Inseparable:
            return None

    def count(self, most: int) -> int:
        """How many rows there are, up to `most`."""
        if self._conditions is None:
            return self.rows.order_by().values("pk")[:most].count()
        return self._conditions.count(most)

    def values(self, form: Hashable, build: Callable[[], QuerySet[Any]]) -> list[dict[str, Any]]:
        """What `build` selects of the rows with `values()`.

        Whatever its columns, order and window depend on is in `form`.
        """
        if self._conditions is None:
            return list(build())
        key = (self._conditions.form, form)
        if key not in _kept:
            try:
                statement = Statement(build().query, self._conditions)
            except Inseparable:
                return list(build())
            if len(_kept) >= MOST_KEPT:
                _kept.clear()
            _kept[key] = statement
        return _kept[key].rows(self._conditions.parameters)


class Conditions:
    """What a query reads from and by, as SQL: its tables, and what follows WHERE.

    Raises `Inseparable` if the query consists of more than those and its model.
    """

    def __init__(self, query: Query) -> None:
        if _has_more(query):
            raise Inseparable
        compiler: Any = query.get_compiler(connection=_database())
        tables, in_tables = compiler.get_from_clause()
        if in_tables:
            raise Inseparable
        try:
            self.where, parameters = compiler.compile(query.where)
        except (EmptyResultSet, FullResultSet) as none:
            raise Inseparable from none
        self.tables, self.parameters = " ".join(tables), tuple(parameters)
        self.form = (query.model, query.default_ordering, self.tables, self.where)

    def count(self, most: int) -> int:
        some = f"SELECT 1 FROM {self.tables} WHERE {self.where} LIMIT {most}"  # noqa: S608 (Django's)
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT COUNT(*) FROM ({some}) AS counted", self.parameters)  # noqa: S608
            (count,) = cursor.fetchone()
        return int(count)


def _database() -> BaseDatabaseWrapper:
    # Not the proxy, which looks for this thread's connection at each of a hundred questions.
    return connections[connection.alias]


class Inseparable(Exception):
    """A query whose conditions can't be told from the rest of it: Django compiles it whole."""


def _has_more(query: Query) -> bool:
    return bool(
        query.annotations
        or query.extra
        or query.extra_tables
        or query.group_by is not None
        or query.distinct
        or query.is_sliced
        or query.combinator
        or query.order_by
        or query.extra_order_by
        or not query.standard_ordering
        or query.select_for_update
    )


class Statement:
    """A compiled query, into which the values of its conditions are put.

    Raises `Inseparable` if these conditions are not in it as they are.
    """

    def __init__(self, query: Query, conditions: Conditions) -> None:
        compiler: Any = query.get_compiler(connection=_database())
        self._sql, parameters = compiler.as_sql()
        before, *behind = self._sql.split(f" WHERE {conditions.where}")
        first = before.replace("%%", "").count("%s")
        last = first + len(conditions.parameters)
        if len(behind) != 1 or tuple(parameters[first:last]) != conditions.parameters:
            raise Inseparable
        self._before, self._after = tuple(parameters[:first]), tuple(parameters[last:])
        self._names = tuple(query.selected or ())
        self._converters = compiler.get_converters([column for column, *_ in compiler.select])
        # Not the query itself, which holds the values.
        self._empty = Query(query.model)

    def rows(self, parameters: Sequence[Any]) -> list[dict[str, Any]]:
        with connection.cursor() as cursor:
            cursor.execute(self._sql, (*self._before, *parameters, *self._after))
            found: Any = cursor.fetchall()
        if self._converters:
            compiler: Any = self._empty.get_compiler(connection=_database())
            found = compiler.apply_converters(found, self._converters)
        return [dict(zip(self._names, row, strict=True)) for row in found]
