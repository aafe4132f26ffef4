"""Snapshots: every row that an organisation has, and what became of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]
Key = tuple[str, str]
Change = tuple[Row | None, Row | None]

# Who did what when, sessions, tokens, notices: kept about writes, not written by anybody.
BOOKKEEPING = re.compile(
    r"activity|activities|_token|^pat_tokens_|^bottlecrm_mcp_|audit|notification|history|email_?log"
    r"|magic_link|csat|pack_application|host_tokens|_pipeline$|_stage$",
)
COLUMNS = """
    SELECT c.table_name, c.column_name FROM information_schema.columns c
    JOIN information_schema.tables t USING (table_schema, table_name)
    WHERE table_schema = 'public' AND t.table_type = 'BASE TABLE'
"""
FOREIGN_KEYS = """
    SELECT conrelid::regclass::text, a.attname, confrelid::regclass::text
    FROM pg_constraint JOIN pg_attribute a ON a.attrelid = conrelid AND a.attnum = conkey[1]
    WHERE contype = 'f' AND array_length(conkey, 1) = 1
"""


@dataclass(frozen=True)
class Schema:
    """The tables with rows of organisations, and what their columns point to."""

    owned: tuple[str, ...]
    joins: dict[str, dict[str, str]]
    links: dict[str, dict[str, str]]

    @classmethod
    def of(cls, connection: Any) -> Schema:
        columns: dict[str, set[str]] = {}
        links: dict[str, dict[str, str]] = {}
        with connection.cursor() as cursor:
            cursor.execute(COLUMNS)
            for table, column in cursor.fetchall():
                columns.setdefault(table, set()).add(column)
            cursor.execute(FOREIGN_KEYS)
            for table, column, target in cursor.fetchall():
                links.setdefault(table.strip('"'), {})[column] = target.strip('"')
        owned = tuple(
            sorted(
                table
                for table, names in columns.items()
                if {"org_id", "id"} <= names and not BOOKKEEPING.search(table)
            )
        )
        joins = {
            table: links[table]
            for table, names in columns.items()
            if len(names) == 3 and len(links.get(table, {})) == 2
            if set(links[table].values()) & set(owned) and not BOOKKEEPING.search(table)
        }
        return cls(owned, joins, links)

    def query(self) -> str:
        parts = [
            f"SELECT '{table}', to_jsonb(t)::text FROM \"{table}\" t WHERE org_id = %(org)s"
            for table in self.owned
        ]
        for table, columns in self.joins.items():
            column, target = next(each for each in columns.items() if each[1] in self.owned)
            parts.append(
                f"SELECT '{table}', to_jsonb(t)::text FROM \"{table}\" t"
                f' JOIN "{target}" p ON p.id = t.{column} WHERE p.org_id = %(org)s'
            )
        return " UNION ALL ".join(parts)


def rows_of(connection: Any, schema: Schema, org: str) -> dict[Key, Row]:
    """Every row of the organisation by table and id."""
    with in_organisation(connection, org) as cursor:
        cursor.execute(schema.query(), {"org": org})
        found = [(table, json.loads(text)) for table, text in cursor.fetchall()]
    return {(table, str(row["id"])): row for table, row in found}


@contextmanager
def in_organisation(connection: Any, org: str) -> Iterator[Any]:
    """A cursor that row-level security lets see this organisation."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.current_org', %s, false)", [org])
        try:
            yield cursor
        finally:
            cursor.execute("SELECT set_config('app.current_org', '', false)")


def differences(before: dict[Key, Row], after: dict[Key, Row]) -> dict[Key, Change]:
    return {
        key: (before.get(key), after.get(key))
        for key in before.keys() | after.keys()
        if before.get(key) != after.get(key)
    }
