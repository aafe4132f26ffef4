"""The settings of the database and the role that the demo and the tests run with."""

import os
import stat
from pathlib import Path

import psycopg
import pytest

from settings.database import database, forget_org, unsafe_role
from settings.postgres import private_file


def test_url():
    settings = database(
        "postgresql://me:p%40ss@/crm?host=/tmp/some%20where&port=5433&sslmode=require"
    )
    assert (settings["NAME"], settings["USER"], settings["PASSWORD"]) == ("crm", "me", "p@ss")
    assert (settings["HOST"], settings["PORT"]) == ("/tmp/some where", "5433")
    assert settings["OPTIONS"]["sslmode"] == "require"


def test_url_of_a_server():
    settings = database("postgresql://me@db.example:6432/crm")
    assert (settings["HOST"], settings["PORT"]) == ("db.example", "6432")


def test_connection_forgets_its_org(db):
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        connection.execute("SELECT set_config('app.current_org', 'x', false)")
        forget_org(connection)
        row = connection.execute("SELECT current_setting('app.current_org')").fetchone()
    assert row == ("",)


def test_safe_role(db):
    assert unsafe_role(os.environ["DATABASE_URL"]) is None


def test_superuser_is_unsafe(db):
    url = os.environ["DATABASE_URL"]
    if ".test-db" not in url:
        pytest.skip("the database is not our own")
    host = url.partition("?")[2]
    assert "'postgres'" in (unsafe_role(f"postgresql://postgres@/postgres?{host}") or "")


def test_private_file(tmp_path: Path):
    path = tmp_path / "folder" / "secret"
    secret = private_file(path)
    assert len(secret) > 40
    assert private_file(path) == secret
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
