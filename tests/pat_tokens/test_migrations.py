from django.core.management import call_command
from django.db import connection


def test_models_and_migrations_agree(db) -> None:
    call_command("makemigrations", "pat_tokens", check=True, dry_run=True, verbosity=0)


def test_reversible(db) -> None:
    call_command("migrate", "pat_tokens", "zero", verbosity=0)
    assert "pat_tokens_token" not in connection.introspection.table_names()
    call_command("migrate", "pat_tokens", verbosity=0)
    assert "pat_tokens_token" in connection.introspection.table_names()


def test_row_level_security_is_forced(db) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relrowsecurity, relforcerowsecurity FROM pg_class "
            "WHERE oid = 'pat_tokens_token'::regclass"
        )
        assert cursor.fetchone() == (True, True)
