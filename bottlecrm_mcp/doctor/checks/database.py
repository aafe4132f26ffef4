"""Database checks: whether organisations are kept apart."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules

from django.apps import apps
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Model

from bottlecrm_mcp.conf import mcp_settings
from bottlecrm_mcp.doctor.findings import Finding, failure, ok, warning
from bottlecrm_mcp.doctor.person import in_organisation
from bottlecrm_mcp.doctor.tuning import remedies
from bottlecrm_mcp.gateway.in_process import idempotency
from bottlecrm_mcp.gateway.in_process.expressions import has_trigrams
from bottlecrm_mcp.gateway.in_process.gateway import model_of
from bottlecrm_mcp.hosted import open_forms
from bottlecrm_mcp.models import KeyedWrite, OpenForm

OWN_APPS = ("bottlecrm_mcp", "pat_tokens")


def check_migrations() -> Iterator[Finding]:
    part = "migrations"
    applied = MigrationRecorder(connection).applied_migrations()
    ours = [(app, name) for app in OWN_APPS if apps.is_installed(app) for name in _migrations(app)]
    missing = [".".join(each) for each in ours if each not in applied]
    if missing:
        yield failure(
            part,
            f"{', '.join(missing)}: not applied to this database. Run manage.py migrate; the "
            "processes of the version before go on meanwhile.",
        )
    else:
        yield ok(part, "All are applied.")


def _migrations(app: str) -> list[str]:
    """Their names, without the host's, which take long to load."""
    folder = import_module(f"{app}.migrations").__path__
    return [each.name for each in iter_modules(folder) if not each.name.startswith("_")]


def check_role() -> Iterator[Finding]:
    part = "database role"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT rolname, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user"
        )
        name, is_superuser, bypasses = cursor.fetchone()
    if is_superuser or bypasses:
        why = "is a superuser" if is_superuser else "has BYPASSRLS"
        yield failure(
            part,
            f"The role {name!r} {why}, so row-level security does not bind it: connect as an "
            "ordinary role.",
        )
    else:
        yield ok(part, f"The role {name!r} is bound by row-level security.")


def check_row_security() -> Iterator[Finding]:
    part = "row-level security"
    secured = _secured_tables()
    ours = [model._meta.db_table for model in _models()]
    off = [table for table in ours if table not in secured]
    for table in off:
        yield failure(part, _alter("ENABLE ROW LEVEL SECURITY", table))
    unforced = [table for table, is_forced in secured.items() if not is_forced]
    for table in unforced:
        report = failure if table in ours else warning
        yield report(part, _alter("FORCE ROW LEVEL SECURITY", table))
    if not (off or unforced):
        of_tools = len(set(ours))
        yield ok(
            part,
            f"It is enabled and forced on {len(secured)} tables, {of_tools} of them of the tools "
            "and tokens.",
        )


def check_trigrams() -> Iterator[Finding]:
    part = "search"
    if has_trigrams():
        yield ok(part, "pg_trgm is there: words that are misspelled are found by likeness.")
    else:
        yield ok(
            part,
            "Without PostgreSQL's pg_trgm a misspelled word is found if one end of it is right. "
            "CREATE EXTENSION pg_trgm, which needs no superuser, finds the others too; restart the "
            "server then. Accents need no extension.",
        )


def _alter(what: str, table: str) -> str:
    return f"{what} is off on {table}: ALTER TABLE {table} {what};"


def check_no_rows_without_organisation() -> Iterator[Finding]:
    part = "rows without an organisation"
    with in_organisation(""):
        seen = [model._meta.db_table for model in _models() if model._base_manager.exists()]
    for table in seen:
        yield failure(
            part,
            f"Rows of {table} are visible while app.current_org is empty: give the table a policy "
            "that compares its organisation with app.current_org.",
        )
    if not seen:
        yield ok(part, "With app.current_org empty, no table shows a row.")


def check_repeated_calls() -> Iterator[Finding]:
    part = "repeated calls"
    if idempotency.is_migrated():
        yield ok(part, "There is a table to recognise them by.")
    else:
        yield warning(part, f"idempotency_key is refused: run `{idempotency.MIGRATE}`.")


def check_tuning() -> Iterator[Finding]:
    part = "statistics and indexes"
    lacking = sorted({each.table for each in remedies()})
    if lacking:
        yield warning(
            part,
            f"PostgreSQL plans badly for {', '.join(lacking)}: run `manage.py mcp_tune`, which "
            "says what is missing.",
        )
    else:
        yield ok(part, "None is missing for as many rows as there are.")


def _models() -> list[type[Model]]:
    models = [
        model_of(entity) for entity in mcp_settings().catalogue.entities if entity.row_security
    ]
    if apps.is_installed("pat_tokens"):
        models.append(apps.get_model("pat_tokens", "Token"))
    if idempotency.is_migrated():
        models.append(KeyedWrite)
    if open_forms.is_migrated():
        models.append(OpenForm)
    return models


def _secured_tables() -> dict[str, bool]:
    """The tables that row-level security is enabled on, and whether it is forced."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, relforcerowsecurity FROM pg_class WHERE relrowsecurity AND "
            "relkind IN ('r', 'p') AND pg_table_is_visible(oid) ORDER BY relname"
        )
        return dict(cursor.fetchall())
