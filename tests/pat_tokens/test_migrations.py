import os
import subprocess
import sys

import pytest
from django.core.management import call_command
from django.db import connection


def test_models_and_migrations_agree(db) -> None:
    call_command("makemigrations", "pat_tokens", check=True, dry_run=True, verbosity=0)


def test_reversible(db) -> None:
    call_command("migrate", "pat_tokens", "zero", verbosity=0)
    assert "pat_tokens_token" not in connection.introspection.table_names()
    call_command("migrate", "pat_tokens", verbosity=0)
    assert "pat_tokens_token" in connection.introspection.table_names()


def test_models_and_migrations_agree_with_another_owner_model(db) -> None:
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "tests.pat_tokens.other_owner"}
    command = [sys.executable, "-m", "django", "makemigrations", "pat_tokens", "--check"]
    done = subprocess.run(
        [*command, "--dry-run"], env=environment, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout.strip()) == (0, "No changes detected in app 'pat_tokens'")


@pytest.mark.parametrize(
    "table", ["token", "policy", "event", "connection", "authorizationcode", "refreshtoken"]
)
def test_row_level_security_is_forced(db, table) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE oid = %s::regclass",
            [f"pat_tokens_{table}"],
        )
        assert cursor.fetchone() == (True, True)
