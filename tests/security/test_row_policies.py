"""The row-level security of every table of an organisation, by a linter of its policies."""

import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from django.db import connection

# The policy is BottleCRM's, to PUBLIC and read for each row: on purpose, there is one role only.
AS_BOTTLECRM = ("SEC003", "PERF001")
# Read before an organisation is known.
FREE = ("demo_crm_profile", "host_tokens_%")
NOT_OF_ONE_ORGANISATION = """
    SELECT table_name FROM information_schema.tables t
    WHERE table_schema = 'public' AND (
        table_name LIKE ANY(%s) OR NOT EXISTS (
            SELECT FROM information_schema.columns c
            WHERE c.table_name = t.table_name AND c.column_name = 'org_id'))
"""


@pytest.fixture
def config(db: None, tmp_path: Path) -> Path:
    with connection.cursor() as cursor:
        cursor.execute(NOT_OF_ONE_ORGANISATION, [list(FREE)])
        free = ", ".join(f'"{name}"' for (name,) in cursor.fetchall())
    path = tmp_path / "pgrls.toml"
    path.write_text(f"[lint.rules.SEC001]\nallowlist = [{free}]\n")
    return path


def test_policies(config: Path) -> None:
    parameters = connection.get_connection_params()
    named = ("dbname", "user", "password", "host", "port")
    url = psycopg.conninfo.make_conninfo(**{name: parameters.get(name) for name in named})
    lint = [sys.executable, "-m", "pgrls", "lint", "--database-url", url, "--config", str(config)]
    excluded = [each for rule in AS_BOTTLECRM for each in ("--exclude-rule", rule)]
    ended = subprocess.run([*lint, *excluded, "--fail-on", "error"], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr
