"""Tuning of the database: the statistics and indexes that PostgreSQL lacks for the tools' queries.

Only tables with so many rows that it matters. Nothing here is of BottleCRM's migrations: it
changes how fast a query is, never what it finds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Model
from psycopg import sql

from bottlecrm_mcp.catalogue.model import CREATED, Entity, Kind
from bottlecrm_mcp.conf import mcp_settings
from bottlecrm_mcp.gateway.in_process.gateway import model_of
from bottlecrm_mcp.gateway.in_process.records import links_of

# With fewer rows every plan is quick.
FEW_ROWS = 1_000
# Statistics on an expression.
OLDEST_POSTGRES = 140_000
ORG = "org"
LONGEST_NAME = 63

ROWS = "SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = %s::regclass"
COMPARES_AS_TEXT = """
SELECT EXISTS (SELECT FROM pg_policy WHERE polrelid = %s::regclass
    AND pg_get_expr(polqual, polrelid) LIKE %s)
"""
# Kind f: dependencies between the columns.
HAS_STATISTICS = """
SELECT EXISTS (SELECT FROM pg_statistic_ext WHERE stxrelid = %s::regclass AND 'f' = ANY (stxkind)
    AND %s = ANY (pg_get_statisticsobjdef_expressions(oid)))
"""
HAS_STATISTICS_OF = """
SELECT EXISTS (SELECT FROM pg_statistic_ext WHERE stxrelid = %s::regclass
    AND pg_get_statisticsobjdef_expressions(oid) && %s)
"""
INDEXED_BY = """
SELECT array_agg(attname ORDER BY place) FROM pg_index
CROSS JOIN unnest(indkey) WITH ORDINALITY AS part (number, place)
JOIN pg_attribute ON attrelid = indrelid AND attnum = number
WHERE indrelid = %s::regclass AND indisvalid AND indpred IS NULL
GROUP BY indexrelid
"""


@dataclass(frozen=True)
class Remedy:
    """What a table of so many rows lacks: `statements` make it, each outside a transaction."""

    table: str
    rows: int
    why: str
    statements: tuple[str, ...]


def remedies() -> list[Remedy]:
    """What would help this database, by the rows that it has. Reads the system catalogue alone."""
    return [each for entity in mcp_settings().catalogue.entities for each in _of(entity)]


def _of(entity: Entity) -> Iterator[Remedy]:
    model = model_of(entity)
    columns = {field.name: str(field.column) for field in model._meta.concrete_fields}
    org = columns.get(ORG)
    if org and entity.row_security:
        yield from _as_text(model._meta.db_table, org)
    # What first tells a record: before it makes one the CRM looks for another with the same.
    if entity.identity and len(entity.identity[0]) == 1 and entity.identity[0][0] in columns:
        yield from _in_capitals(model._meta.db_table, columns[entity.identity[0][0]])
    if org and entity.paged and CREATED in columns:
        yield from _index(
            model._meta.db_table, (org, columns[CREATED]), f"the newest {entity.name}"
        )
    for field in entity.fields:
        if field.kind is Kind.RELATION and not field.computed and field.attribute in columns:
            by = (columns[field.attribute],)
            yield from _index(model._meta.db_table, by, f"{entity.name} by {field.name}")
        if field.kind is Kind.RELATIONS and entity.paged:
            yield from _of_links(model, field.attribute, entity.name)


def _of_links(model: type[Model], attribute: str, records: str) -> Iterator[Remedy]:
    links = links_of(model, attribute)
    table = links.rows.model._meta.db_table
    yield from _index(table, (links.ours.column,), f"the {attribute} of {records}")
    yield from _index(table, (links.theirs.column,), f"{records} by {attribute}")


def _as_text(table: str, org: str) -> Iterator[Remedy]:
    if not _gains_by_statistics(table):
        return
    expression = f"({org})::text"
    if not _value(COMPARES_AS_TEXT, table, f"%{expression}%"):
        return
    if _value(HAS_STATISTICS, table, expression):
        return
    on = sql.SQL("{org}, ({org}::text)").format(org=sql.Identifier(org))
    why = (
        f"row-level security compares {org} as text, and PostgreSQL expects a handful of rows "
        "where all are the organisation's"
    )
    yield _statistics(table, _name(table, org, "as_text"), on, why)


def _in_capitals(table: str, column: str) -> Iterator[Remedy]:
    if not _gains_by_statistics(table):
        return
    if _value(HAS_STATISTICS_OF, table, [f"upper({column})", f"upper(({column})::text)"]):
        return
    # No index: `upper` is not leakproof, so row-level security has every row checked before it.
    on = sql.SQL("(upper({}::text))").format(sql.Identifier(column))
    why = (
        f"{column} is looked for in capitals, and PostgreSQL reads the rows of all organisations "
        "since it expects one in 200 to be it"
    )
    yield _statistics(table, _name(table, column, "in_capitals"), on, why)


def _gains_by_statistics(table: str) -> bool:
    return _server_version() >= OLDEST_POSTGRES and _rows(table) >= FEW_ROWS


def _statistics(table: str, name: sql.Identifier, on: sql.Composed, why: str) -> Remedy:
    of = sql.Identifier(table)
    make = sql.SQL("CREATE STATISTICS {} ON {} FROM {}").format(name, on, of)
    analyze = sql.SQL("ANALYZE {}").format(of)
    return Remedy(table, _rows(table), why, (_text(make), _text(analyze)))


def _index(table: str, columns: tuple[str, ...], of: str) -> Iterator[Remedy]:
    if _rows(table) < FEW_ROWS:
        return
    with connection.cursor() as cursor:
        cursor.execute(INDEXED_BY, [_quoted(table)])
        if any(tuple(names[: len(columns)]) == columns for (names,) in cursor.fetchall()):
            return
    name = _name(table, *columns, "idx")
    # One that was broken off stays behind, is of no use and keeps its name.
    drop = sql.SQL("DROP INDEX CONCURRENTLY IF EXISTS {}").format(name)
    make = sql.SQL("CREATE INDEX CONCURRENTLY {} ON {} ({})").format(
        name, sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    yield Remedy(table, _rows(table), f"{of} have no index", (_text(drop), _text(make)))


def _rows(table: str) -> int:
    """As PostgreSQL last counted them, 0 where it never did."""
    return int(_value(ROWS, table))


def _server_version() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version_num")
        return int(cursor.fetchone()[0])


def _value(query: str, table: str, *parameters: Any) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(query, [_quoted(table), *parameters])
        return cursor.fetchone()[0]


def _quoted(table: str) -> str:
    return connection.ops.quote_name(table)


def _name(*parts: str) -> sql.Identifier:
    return sql.Identifier("_".join(parts)[-LONGEST_NAME:])


def _text(statement: sql.Composed) -> str:
    with connection.cursor() as cursor:
        return statement.as_string(cursor.cursor)
