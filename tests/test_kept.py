"""What is put back is what was made, under other ids and behind row-level security."""

from django.db import transaction
from django.forms.models import model_to_dict

from demo_crm.access.row_security import org_context
from demo_crm.models import Lead
from tests.bottlecrm_mcp.population import populate
from tests.conftest import make_two_orgs
from tests.kept import kept


def test_the_same_under_other_ids(db):
    ids, seen = set(), []
    for _ in range(2):
        with transaction.atomic():
            orgs = kept(make_two_orgs)
            people = orgs.alpha_admin, orgs.alpha_user
            made = kept(populate, *people)
            assert (made.org, made.admin, made.user) == (orgs.alpha, *people)
            with org_context(orgs.alpha):
                stored = list(Lead.objects.order_by("created_at"))
                assert [model_to_dict(each) for each in stored] == [
                    model_to_dict(each) for each in made.leads[::-1]
                ]
                seen.append([(each.email, str(each.created_by)) for each in stored])
                # It can be written, which row-level security allows in its own organisation only.
                for each in (*made.leads, *made.people):
                    assert each.org_id == orgs.alpha.pk
                    each.save()
            with org_context(orgs.beta):
                assert not Lead.objects.exists()
            ids |= {orgs.alpha.pk, *(each.pk for each in stored)}
            transaction.set_rollback(True)
    assert seen[0] == seen[1]
    assert len(ids) == 2 * (1 + len(seen[0])) > 2
