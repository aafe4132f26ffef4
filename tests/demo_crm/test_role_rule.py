import pytest

from demo_crm.access.row_security import org_context
from tests.demo_crm.conftest import ENTITIES, url
from tests.demo_crm.test_envelopes import rows

# Everyone reads every solution.
OWNED = [entity for entity in ENTITIES if entity != "solutions"]
DELETABLE = [entity for entity in ENTITIES if entity != "invoices"]


def ids(entity, client):
    return {row["id"] for row in rows(entity, client.get(url(entity)).json())}


@pytest.mark.parametrize("entity", OWNED)
def test_admin_sees_the_organisation(api, alpha_admin, by_admin, by_user, entity):
    expected = {str(getattr(records, entity).pk) for records in (by_admin, by_user)}
    assert ids(entity, api(alpha_admin)) == expected


@pytest.mark.parametrize("entity", OWNED)
def test_user_sees_their_own(api, alpha_user, by_admin, by_user, entity):
    assert ids(entity, api(alpha_user)) == {str(getattr(by_user, entity).pk)}


@pytest.mark.parametrize("entity", OWNED)
def test_user_sees_what_is_assigned(api, alpha_user, by_admin, entity):
    record = getattr(by_admin, entity)
    record.assigned_to.add(alpha_user)
    assert ids(entity, api(alpha_user)) == {str(record.pk)}
    assert api(alpha_user).get(url(entity, record.pk)).status_code == 200


@pytest.mark.parametrize("entity", OWNED)
def test_out_of_reach_is_forbidden(api, alpha_user, by_admin, entity):
    answer = api(alpha_user).get(url(entity, getattr(by_admin, entity).pk))
    assert answer.status_code == 403


@pytest.mark.parametrize("entity", ENTITIES)
def test_another_organisation_is_not_found(api, alpha_admin, in_beta, entity):
    answer = api(alpha_admin).get(url(entity, getattr(in_beta, entity).pk))
    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/json"


@pytest.mark.parametrize("entity", ENTITIES)
def test_another_organisation_is_not_listed(api, beta_admin, by_admin, in_beta, entity):
    assert ids(entity, api(beta_admin)) == {str(getattr(in_beta, entity).pk)}


@pytest.mark.parametrize("entity", [each for each in DELETABLE if each != "solutions"])
def test_assignee_may_change_but_not_delete(api, alpha_user, by_admin, entity):
    record = getattr(by_admin, entity)
    record.assigned_to.add(alpha_user)
    client = api(alpha_user)
    change = client.patch(url(entity, record.pk), {"description": "new"}, format="json")
    assert change.status_code == 200
    assert client.delete(url(entity, record.pk)).status_code == 403


@pytest.mark.parametrize("entity", DELETABLE)
def test_creator_deletes(api, alpha_user, by_user, entity):
    record = getattr(by_user, entity)
    if entity == "accounts":
        with org_context(alpha_user.org):
            record.invoices.all().delete()
    assert api(alpha_user).delete(url(entity, record.pk)).status_code in (200, 204)
    assert api(alpha_user).get(url(entity, record.pk)).status_code == 404


def test_assignee_of_the_account_opens_its_contact(api, alpha_user, by_admin):
    with org_context(alpha_user.org):
        by_admin.contacts.account = by_admin.accounts
        by_admin.contacts.save()
    by_admin.accounts.assigned_to.add(alpha_user)
    assert api(alpha_user).get(url("contacts", by_admin.contacts.pk)).status_code == 200
    assert ids("contacts", api(alpha_user)) == set()


def test_watcher_reads_a_case_but_does_not_change_it(api, alpha_user, by_admin):
    with org_context(alpha_user.org):
        by_admin.cases.watchers.add(alpha_user, through_defaults={"org": alpha_user.org})
    client = api(alpha_user)
    assert ids("cases", client) == {str(by_admin.cases.pk)}
    change = client.patch(url("cases", by_admin.cases.pk), {"priority": "Low"}, format="json")
    assert change.status_code == 403


def test_account_shows_a_user_every_open_lead(api, alpha_user, by_admin, by_user):
    shown = api(alpha_user).get(url("accounts", by_user.accounts.pk)).json()["leads"]
    assert {lead["id"] for lead in shown} == {str(by_admin.leads.pk), str(by_user.leads.pk)}
