from django.db import connection

from demo_crm.models import Tag
from demo_crm.row_security import org_context, set_current_org


def org_tables() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name FROM information_schema.columns"
            " WHERE column_name = 'org_id' AND table_name LIKE 'demo_crm_%'"
            " AND table_name <> 'demo_crm_profile'"
        )
        return [name for (name,) in cursor.fetchall()]


def test_role_is_bound(db):
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == (False, False)


def test_every_org_table_is_forced(db):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relname = ANY(%s)"
            " AND relrowsecurity AND relforcerowsecurity",
            [org_tables()],
        )
        assert {name for (name,) in cursor.fetchall()} == set(org_tables())


def test_no_org_reads_nothing(two_orgs):
    with org_context(two_orgs.alpha):
        Tag.objects.create(org=two_orgs.alpha, name="vip")
        assert Tag.objects.count() == 1
    assert Tag.objects.count() == 0
    set_current_org(two_orgs.beta.pk)
    assert Tag.objects.count() == 0
