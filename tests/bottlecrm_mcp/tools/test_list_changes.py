"""Lists of relations: what is added and removed, and what a plain list replaces."""

from typing import Any

import pytest

from demo_crm.access.row_security import org_context
from demo_crm.models import Profile

NAMES = ["leads", "contacts", "accounts", "opportunities", "tasks", "cases"]


def names_of(record: Any, field: str) -> list[str]:
    with org_context(record.org):
        related = getattr(type(record).objects.get(pk=record.pk), field).all()
        return sorted(getattr(each, "name", "") or each.user.email for each in related)


@pytest.mark.parametrize("name", NAMES)
def test_added_and_removed(user: Any, alpha: Any, name: str) -> None:
    record = getattr(alpha, name)[1]
    one, two, three = (each.name for each in alpha.tags[:3])
    lead = {"entity": name, "id": str(record.pk)}
    user("crm_update", **lead, data={"tags": [one]})
    added = user("crm_update", **lead, data={"tags": {"add": [two, three]}})
    assert names_of(record, "tags") == sorted([one, two, three])
    assert "warnings" not in added
    assert [each["name"] for each in added["changed"]["tags"]["before"]] == [one]
    user("crm_update", **lead, data={"tags": {"add": [one], "remove": [two]}})
    assert names_of(record, "tags") == sorted([one, three])
    unchanged = user("crm_update", **lead, data={"tags": {"add": one, "remove": two}})
    assert unchanged["changed"] == {}


@pytest.mark.parametrize("field", ["assigned_to", "teams", "contacts"])
def test_people_teams_and_contacts(admin: Any, alpha: Any, field: str) -> None:
    lead = alpha.leads[1]
    called = {
        "assigned_to": ["me", alpha.people[3].user.email],
        "teams": [alpha.teams[0].name, {"id": str(alpha.teams[1].pk)}],
        "contacts": [str(alpha.contacts[1].pk), str(alpha.contacts[2].pk)],
    }[field]
    asked = {"entity": "leads", "id": str(lead.pk)}
    admin("crm_update", **asked, data={field: []})
    for each in called:
        admin("crm_update", **asked, data={field: {"add": [each]}})
    record = admin("crm_get", **asked)["record"]
    assert len(record[field]) == 2
    admin("crm_update", **asked, data={field: {"remove": called[:1]}})
    assert len(admin("crm_get", **asked)["record"][field]) == 1


def test_plain_list_says_what_it_replaced(user: Any, alpha: Any) -> None:
    lead = {"entity": "leads", "id": str(alpha.leads[1].pk)}
    one, two = (each.name for each in alpha.tags[:2])
    user("crm_update", **lead, data={"tags": [one]})
    (warning,) = user("crm_update", **lead, data={"tags": [two]})["warnings"]
    assert f"replaced what was there, so {one} went" in warning
    assert "warnings" not in user("crm_update", **lead, data={"tags": [one, two]})
    assert "warnings" not in user("crm_update", **lead, data={"tags": []})


def test_new_record_takes_what_is_added(user: Any, alpha: Any) -> None:
    tag = alpha.tags[0].name
    created = user("crm_create", entity="leads", data={"title": "x", "tags": {"add": [tag]}})
    assert [each["name"] for each in created["record"]["tags"]] == [tag]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"ad": ["x"]}, "which replaces"),
        ({}, "which replaces"),
        ({"add": ["nobody knows it"]}, "No tag matches"),
        ({"remove": ["nobody knows it"]}, "No tag matches"),
        ({"add": ["me"], "remove": ["me"]}, "No tag matches"),
    ],
)
def test_what_is_not_understood(user: Any, alpha: Any, change: Any, told: str) -> None:
    before = names_of(alpha.leads[1], "tags")
    lead = {"entity": "leads", "id": str(alpha.leads[1].pk)}
    error = user("crm_update", **lead, data={"tags": change})["error"]
    assert told in error["fields"]["tags"]
    assert names_of(alpha.leads[1], "tags") == before


def test_the_same_added_and_removed(user: Any, alpha: Any) -> None:
    change = {"add": [alpha.tags[0].name], "remove": [str(alpha.tags[0].pk)]}
    lead = {"entity": "leads", "id": str(alpha.leads[1].pk)}
    error = user("crm_update", **lead, data={"tags": change})["error"]
    assert "added and removed at once" in error["fields"]["tags"]


def test_person_who_was_deactivated_can_be_removed(admin: Any, alpha: Any) -> None:
    lead, person = alpha.leads[1], alpha.people[3]
    with org_context(alpha.org):
        lead.assigned_to.set([person, alpha.user])
        Profile.objects.filter(pk=person.pk).update(is_active=False)
    asked = {"entity": "leads", "id": str(lead.pk)}
    admin("crm_update", **asked, data={"assigned_to": {"remove": [str(person.pk)]}})
    assert names_of(lead, "assigned_to") == [alpha.user.user.email]


def test_token_that_may_not_read(tools_of: Any, alpha: Any) -> None:
    writes = tools_of(alpha.admin, scopes=["leads:write", "org:read", "tags:read"])
    lead = {"entity": "leads", "id": str(alpha.leads[1].pk)}
    error = writes("crm_update", **lead, data={"tags": {"add": [alpha.tags[0].name]}})["error"]
    assert error["code"] == "insufficient_scope"
