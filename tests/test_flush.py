"""The flush between tests that commit leaves no row of them, and row-level security as it was."""

import pytest
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connection

from demo_crm.access.row_security import org_context
from demo_crm.models import Lead, Org, User

FORCED = "SELECT count(*) FROM pg_class WHERE relrowsecurity AND relforcerowsecurity"


def forced() -> int:
    with connection.cursor() as cursor:
        cursor.execute(FORCED)
        count: int = cursor.fetchone()[0]
    return count


@pytest.mark.django_db(transaction=True)
def test_rows_of_all_organisations_go(two_orgs, token_for):
    before = forced()
    kinds = set(ContentType.objects.values_list("pk", "model"))
    for profile in (two_orgs.alpha_user, two_orgs.beta_user):
        token_for(profile)
        with org_context(profile.org):
            Lead.objects.create(org=profile.org, last_name="Lee", created_by=profile.user)
    call_command("flush", verbosity=0, interactive=False)
    assert not Org.objects.exists()
    assert not User.objects.exists()
    for org in (two_orgs.alpha, two_orgs.beta):
        with org_context(org):
            assert not Lead.objects.exists()
    assert forced() == before > 0
    # Those of the migrations stay, as no migration makes them again.
    assert set(ContentType.objects.values_list("pk", "model")) == kinds != set()
    assert Permission.objects.exists()
