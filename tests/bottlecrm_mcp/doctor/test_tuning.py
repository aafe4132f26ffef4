from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import QuerySet

from bottlecrm_mcp.conf import mcp_settings
from bottlecrm_mcp.doctor import tuning
from bottlecrm_mcp.doctor.checks.database import check_tuning
from bottlecrm_mcp.doctor.findings import Level
from bottlecrm_mcp.doctor.tuning import remedies
from bottlecrm_mcp.gateway.in_process.gateway import model_of
from demo_crm.access.row_security import org_context
from demo_crm.models import Lead, Org

LEADS = Lead._meta.db_table


@pytest.fixture
def many(monkeypatch) -> None:
    """Every table counts as large."""
    monkeypatch.setattr(tuning, "FEW_ROWS", 0)


def tuned(**options) -> str:
    out = StringIO()
    call_command("mcp_tune", stdout=out, **options)
    return out.getvalue()


def run(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def drop_statistics() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT stxname FROM pg_statistic_ext")
        names = [name for (name,) in cursor.fetchall()]
    run(*(f'DROP STATISTICS "{name}"' for name in names))


def index_of(*columns: str) -> str:
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, LEADS)
    return next(
        name for name, each in found.items() if each["index"] and each["columns"] == [*columns]
    )


def test_few_rows_need_nothing(db) -> None:
    assert remedies() == []
    assert tuned() == "Nothing is missing.\n"
    assert [each.level for each in check_tuning()] == [Level.OK]


def test_tables_of_many_rows_need_statistics(db, many) -> None:
    found = remedies()
    secured = {
        model_of(each)._meta.db_table
        for each in mcp_settings().catalogue.entities
        if each.row_security
    }
    assert {each.table for each in found} == secured
    assert all("CREATE STATISTICS" in each.statements[0] for each in found)
    (finding,) = check_tuning()
    assert finding.level is Level.WARNING
    assert LEADS in finding.sentence
    assert "mcp_tune" in finding.sentence


def test_policy_that_compares_no_text_needs_no_statistics(db, many) -> None:
    run(
        f"DROP POLICY org_isolation ON {LEADS}",
        f"CREATE POLICY org_isolation ON {LEADS} "
        "USING (org_id = (SELECT NULLIF(current_setting('app.current_org', true), ''))::uuid)",
    )
    assert not any(each.table == LEADS and "as_text" in each.statements[0] for each in remedies())


@pytest.mark.parametrize(
    ("columns", "why"),
    [
        (("org_id", "created_at"), "the newest leads"),
        (("created_by_id",), "leads by created_by"),
    ],
)
def test_index_that_is_missing(db, many, columns, why) -> None:
    run(f'DROP INDEX "{index_of(*columns)}"')
    found = [each for each in remedies() if "INDEX" in each.statements[0]]
    (remedy,) = found
    assert (remedy.table, remedy.why) == (LEADS, f"{why} have no index")
    assert remedy.statements[1].endswith(f'ON "{LEADS}" ({", ".join(map(quoted, columns))})')


def quoted(column: str) -> str:
    return f'"{column}"'


def test_index_of_links_that_is_missing(db, many) -> None:
    links = Lead.tags.through._meta.db_table
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, links)
    (index,) = (
        name
        for name, each in found.items()
        if each["columns"] == ["tag_id"] and each["index"] and not each["foreign_key"]
    )
    run(f'DROP INDEX "{index}"')
    assert "leads by tags have no index" in {each.why for each in remedies()}


def test_nothing_is_made_inside_a_transaction(db, many) -> None:
    with pytest.raises(CommandError, match="inside a transaction"):
        tuned(apply=True)


@pytest.mark.django_db(transaction=True)
def test_apply_makes_what_is_missing(many) -> None:
    index = index_of("org_id", "created_at")
    run(f'ALTER INDEX "{index}" RENAME TO kept', "DROP INDEX kept")
    try:
        said = tuned()
        assert "CREATE STATISTICS" in said
        assert "CREATE INDEX CONCURRENTLY" in said
        assert "would help" in said
        assert tuned(apply=True).endswith("made.\n")
        assert tuned() == "Nothing is missing.\n"
    finally:
        drop_statistics()
        made = index_of("org_id", "created_at")
        run(f'DROP INDEX "{made}"', f'CREATE INDEX "{index}" ON {LEADS} (org_id, created_at DESC)')


@pytest.mark.django_db(transaction=True)
def test_rows_of_an_organisation_are_expected_as_they_are(many) -> None:
    orgs = [Org.objects.create(name=name) for name in ("Alpha", "Beta")]
    for org in orgs:
        with org_context(org):
            Lead.objects.bulk_create(Lead(org=org, last_name=f"L{each}") for each in range(2000))
    run(f"ANALYZE {LEADS}")
    try:
        assert expected(orgs[0], Lead.objects.all()) < 100
        tuned(apply=True)
        assert 1000 < expected(orgs[0], Lead.objects.all()) < 4000
    finally:
        drop_statistics()


def expected(org: Org, leads: QuerySet[Lead]) -> int:
    """How many of these leads PostgreSQL expects in an organisation."""
    with org_context(org):
        plan = leads.filter(org=org).explain(format="json")
    return int(plan.partition('"Plan Rows": ')[2].partition(",")[0])


@pytest.mark.django_db(transaction=True)
def test_one_lead_of_an_email_is_expected(many) -> None:
    """So that PostgreSQL does not read all organisations' leads to come upon one soon."""
    org = Org.objects.create(name="Alpha")
    with org_context(org):
        leads = (Lead(org=org, last_name="L", email=f"l{each}@x.example") for each in range(2000))
        Lead.objects.bulk_create(leads)
    run(f"ANALYZE {LEADS}")
    same = Lead.objects.filter(email__iexact="L7@x.example")
    rows, emails = (each for each in remedies() if each.table == LEADS)
    try:
        run(*rows.statements)
        assert expected(org, same) == 10
        run(*emails.statements)
        assert expected(org, same) == 1
        assert LEADS not in {each.table for each in remedies()}
    finally:
        drop_statistics()
