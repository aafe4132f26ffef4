"""Row-level security in migrations: a table whose rows only their own organisation sees."""

from typing import Any

from django.db import migrations

# `(SELECT …)` is evaluated once for a query, not once for each row.
IN_ORGANISATION = "org_id::text = (SELECT NULLIF(current_setting('app.current_org', true), ''))"


class Protect(migrations.RunSQL):
    """Only PostgreSQL has row-level security; a host may run its own tests elsewhere."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        if schema_editor.connection.vendor == "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        if schema_editor.connection.vendor == "postgresql":
            super().database_backwards(app_label, schema_editor, from_state, to_state)


def protect(table: str) -> Protect:
    return Protect(
        f"""
        ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
        ALTER TABLE {table} FORCE ROW LEVEL SECURITY;
        CREATE POLICY {table}_organisation ON {table}
            USING ({IN_ORGANISATION}) WITH CHECK ({IN_ORGANISATION});
        """,
        f"""
        DROP POLICY {table}_organisation ON {table};
        ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY;
        ALTER TABLE {table} DISABLE ROW LEVEL SECURITY;
        """,
    )
