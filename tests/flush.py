"""Flush of the database after a test that commits, for the few rows that it leaves.

Django truncates every table, which makes some 650 files anew each time and takes half a second,
and then looks for the content types and permissions of every model. What the migrations have made
of those stays here, so that nothing has to make it again.
"""

from collections.abc import Iterable
from typing import Any

import pytest
from django.core.management.commands import flush
from django.db.backends.postgresql.operations import DatabaseOperations

MADE_BY_MIGRATIONS = {"django_content_type", "auth_permission"}

# Row-level security would hide the rows of every organisation from DELETE. A table that never had
# a row takes no space.
DELETE = """
DO $$
DECLARE
    used regclass[] := ARRAY(
        SELECT name FROM unnest('{{{tables}}}'::regclass[]) name WHERE pg_relation_size(name) > 0
    );
    forced regclass[] := ARRAY(
        SELECT oid FROM pg_class WHERE oid = ANY(used) AND relforcerowsecurity
    );
    name regclass;
BEGIN
    FOREACH name IN ARRAY forced LOOP
        EXECUTE format('ALTER TABLE %s NO FORCE ROW LEVEL SECURITY', name);
    END LOOP;
    FOREACH name IN ARRAY used LOOP
        EXECUTE format('DELETE FROM %s', name);
    END LOOP;
    SET CONSTRAINTS ALL IMMEDIATE;
    FOREACH name IN ARRAY forced LOOP
        EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', name);
    END LOOP;
END $$
"""


def only_what_tests_leave(patch: pytest.MonkeyPatch) -> None:
    """Put this flush in place of Django's."""
    patch.setattr(DatabaseOperations, "sql_flush", sql_flush)
    patch.setattr(flush, "emit_post_migrate_signal", lambda *args, **options: None)


def sql_flush(operations: Any, style: Any, tables: Iterable[str], **options: Any) -> list[str]:
    left = sorted(set(tables) - MADE_BY_MIGRATIONS)
    return [DELETE.format(tables=", ".join(left))] if left else []
