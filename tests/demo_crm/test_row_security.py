import pytest
from django.db import ProgrammingError, connection, transaction
from django.db.backends.utils import CursorWrapper

from demo_crm.access.row_security import org_context
from demo_crm.checks import role_is_bound_by_row_level_security
from demo_crm.models import Lead, Tag
from tests.demo_crm.conftest import url


def org_tables() -> list[str]:
    """From the catalog, so that a new table can't be forgotten."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name FROM information_schema.columns"
            " WHERE column_name = 'org_id' AND table_schema = 'public'"
            " AND table_name <> 'demo_crm_profile' AND table_name NOT LIKE 'host_tokens_%'"
        )
        return [name for (name,) in cursor.fetchall()]


def row_counts() -> dict[str, int]:
    counts = {}
    for table in org_tables():
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM {table}")
            counts[table] = cursor.fetchone()[0]
    return counts


def test_role_is_bound(db):
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == (False, False)


def test_check_of_the_role(db, monkeypatch):
    assert role_is_bound_by_row_level_security(databases=["default"]) == []
    monkeypatch.setattr(CursorWrapper, "fetchone", lambda cursor: ("postgres", True), False)
    (error,) = role_is_bound_by_row_level_security(databases=["default"])
    assert error.id == "demo_crm.E001"
    assert "postgres" in error.msg


def test_every_table_of_an_org_is_forced(db):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relname = ANY(%s)"
            " AND relrowsecurity AND relforcerowsecurity",
            [org_tables()],
        )
        assert {name for (name,) in cursor.fetchall()} == set(org_tables())


def test_without_an_org_nothing_is_read(by_admin, in_beta):
    assert set(row_counts().values()) == {0}
    with org_context(by_admin.profile.org):
        assert row_counts()["demo_crm_lead"] == 1


def test_foreign_insert(two_orgs):
    refusal = pytest.raises(ProgrammingError, match="row-level security")
    with org_context(two_orgs.alpha), refusal, transaction.atomic():
        Tag.objects.create(org=two_orgs.beta, name="smuggled")


def test_foreign_update_changes_nothing(two_orgs, in_beta):
    with org_context(two_orgs.alpha):
        assert Lead.objects.filter(pk=in_beta.leads.pk).update(first_name="x") == 0


def test_request_leaves_no_org_behind(api, alpha_admin):
    api(alpha_admin).get(url("leads"))
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('app.current_org', true)")
        assert cursor.fetchone()[0] in ("", None)


@pytest.mark.django_db(transaction=True)
def test_failed_request_leaves_no_org_behind(api, alpha_admin):
    answer = api(alpha_admin).get(url("invoices"), {"issue_date_gte": "nonsense"})
    assert answer.status_code == 500
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('app.current_org', true)")
        assert cursor.fetchone()[0] in ("", None)


@pytest.mark.django_db(transaction=True)
def test_pool_forgets_the_org(two_orgs):
    from demo_crm.access.row_security import set_current_org

    set_current_org(two_orgs.alpha.pk)
    connection.close()
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('app.current_org', true)")
        assert cursor.fetchone()[0] in ("", None)


@pytest.mark.parametrize(
    ("entity", "field", "target"),
    [
        ("contacts", "account", "accounts"),
        ("opportunities", "account", "accounts"),
        ("tasks", "lead", "leads"),
        ("tasks", "case", "cases"),
        ("cases", "parent", "cases"),
    ],
)
def test_foreign_key_to_another_org(api, alpha_admin, by_admin, in_beta, entity, field, target):
    foreign = str(getattr(in_beta, target).pk)
    answer = api(alpha_admin).patch(
        url(entity, getattr(by_admin, entity).pk), {field: foreign}, format="json"
    )
    assert answer.status_code == 400
    assert answer.json()["errors"][field] == [f'Invalid pk "{foreign}" - object does not exist.']


def test_invoice_for_another_org(api, alpha_admin, by_admin, in_beta):
    body = {
        "invoice_title": "x",
        "account_id": str(in_beta.accounts.pk),
        "contact_id": str(by_admin.contacts.pk),
    }
    answer = api(alpha_admin).post(url("invoices"), body, format="json")
    assert answer.status_code == 400
    assert answer.json()["errors"] == {
        "account_id": ["Account not found or does not belong to your organization"]
    }
