import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command
from django.db import connection

from pat_tokens.models import Token
from pat_tokens.models.expiry import EXPIRY_CEILING
from pat_tokens.rls import in_organisation


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
    "table",
    [
        "token",
        "policy",
        "event",
        "refusalcount",
        "connection",
        "authorizationcode",
        "refreshtoken",
        "dailyuse",
    ],
)
def test_row_level_security_is_forced(db, table) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE oid = %s::regclass",
            [f"pat_tokens_{table}"],
        )
        assert cursor.fetchone() == (True, True)


def test_expiry_that_can_not_be_read_is_cut(alpha_user, beta_user, issue, api) -> None:
    """Rows of any organisation, though row-level security hides them from who migrates."""
    bad = [issue(owner, name="Bad")[0] for owner in (alpha_user, beta_user)]
    good, _ = issue(alpha_user, expires_at=datetime(2030, 1, 1, tzinfo=UTC))
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    call_command("migrate", "pat_tokens", "0001", verbosity=0)
    for token in bad:
        with in_organisation(token.org_id), connection.cursor() as cursor:
            cursor.execute(
                "UPDATE pat_tokens_token SET expires_at = '9999-12-31 23:59:59-11' WHERE id = %s",
                [token.pk],
            )
    call_command("migrate", "pat_tokens", verbosity=0)
    for token in bad:
        with in_organisation(token.org_id):
            expires = Token.objects.get(pk=token.pk).expires_at
        assert expires == EXPIRY_CEILING - timedelta(seconds=1)
    with in_organisation(good.org_id):
        assert Token.objects.get(pk=good.pk).expires_at == good.expires_at
    assert api(alpha_user).get("/api/profile/tokens/").status_code == 200
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relforcerowsecurity FROM pg_class WHERE oid = 'pat_tokens_token'::regclass"
        )
        assert cursor.fetchone() == (True,)
