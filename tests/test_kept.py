"""What is put back is what was made, under other ids and behind row-level security."""

from django.db import transaction
from django.forms.models import model_to_dict

from demo_crm.access.row_security import org_context
from demo_crm.models import Lead
from tests.bottlecrm_mcp.population import populate
from tests.kept import kept


def test_the_same_under_other_ids(two_orgs):
    people = two_orgs.alpha_admin, two_orgs.alpha_user
    ids, seen = set(), []
    for _ in range(2):
        with transaction.atomic():
            made = kept(populate, *people)
            assert (made.org, made.admin, made.user) == (two_orgs.alpha, *people)
            with org_context(two_orgs.alpha):
                stored = list(Lead.objects.order_by("created_at"))
                assert stored == made.leads[::-1]
                assert [model_to_dict(each) for each in stored] == [
                    model_to_dict(each) for each in made.leads[::-1]
                ]
                ids |= {each.pk for each in stored}
                seen.append([(each.email, each.created_by, each.created_at) for each in stored])
            with org_context(two_orgs.beta):
                assert not Lead.objects.exists()
            transaction.set_rollback(True)
    assert seen[0] == seen[1]
    assert len(ids) == 2 * len(seen[0]) > 0
