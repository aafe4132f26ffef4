"""Row-level security: the organisation of a session, and the policy that confines it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

POLICY = """
ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
ALTER TABLE {table} FORCE ROW LEVEL SECURITY;
CREATE POLICY org_isolation ON {table}
    USING (org_id::text = (SELECT NULLIF(current_setting('app.current_org', true), '')));
CREATE POLICY org_insert_check ON {table} FOR INSERT
    WITH CHECK (org_id::text = (SELECT NULLIF(current_setting('app.current_org', true), '')));
"""


def set_current_org(org_id: Any) -> None:
    """For the session, as BottleCRM does it: it outlives the transaction and has to be reset."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.current_org', %s, false)", [str(org_id or "")])


@contextmanager
def org_context(org: Any) -> Iterator[None]:
    set_current_org(org.pk)
    try:
        yield
    finally:
        set_current_org(None)
