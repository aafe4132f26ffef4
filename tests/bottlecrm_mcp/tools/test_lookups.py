"""Tags, teams, people and custom fields, as the tools serve them."""

from typing import Any

import pytest

from demo_crm.access.row_security import org_context
from demo_crm.models import CustomFieldDefinition, Lead, Tag, Team
from tests.bottlecrm_mcp.population import unchanged

PEOPLE = "on the CRM's settings pages"


def names(found: Any) -> list[str]:
    return [row["name"] for row in found["records"]]


def test_everybody_reads_them(alpha, beta, user) -> None:
    people = user("crm_search", entity="people", sort="name", limit=3)
    assert people["total"] == len(alpha.people)
    assert people["returned"] == 3
    assert people["next_offset"] == 3
    assert set(people["records"][0]) == {"id", "name", "email", "role"}
    assert names(user("crm_search", entity="tags", query="tag 2")) == ["Alpha tag 2"]
    assert user("crm_search", entity="teams")["total"] == 2
    fields = user("crm_search", entity="custom_fields", filters={"target_model": "Lead"})
    assert [row["key"] for row in fields["records"]] == ["region"]


def test_filters_and_sums_in_memory(alpha, user) -> None:
    admins = user("crm_search", entity="people", filters={"role": "ADMIN"})
    assert [row["id"] for row in admins["records"]] == [str(alpha.admin.pk)]
    by_role = user("crm_summarize", entity="people", group_by=["role"])
    assert by_role["groups"] == [{"role": "USER", "count": 4}, {"role": "ADMIN", "count": 1}]
    assert "no field" in user("crm_search", entity="tags", fields=["owner"])["error"]["message"]


def test_one_of_them(alpha, beta, user) -> None:
    person = user("crm_get", entity="people", id=str(alpha.admin.pk))["record"]
    assert person["email"] == alpha.admin.user.email
    assert person["user_id"] == str(alpha.admin.user.pk)
    for entity, foreign in (
        ("people", beta.admin),
        ("teams", beta.teams[0]),
        ("tags", beta.tags[0]),
    ):
        error = user("crm_get", entity=entity, id=str(foreign.pk))["error"]
        assert error["code"] == "not_found"


@pytest.mark.parametrize("entity", ["people", "custom_fields"])
def test_what_a_person_does_on_the_settings_pages(alpha, admin, entity) -> None:
    with unchanged():
        created = admin("crm_create", entity=entity, data={"name": "X"})
        updated = admin("crm_update", entity=entity, id=str(alpha.user.pk), data={"role": "ADMIN"})
        deleted = admin("crm_delete", entity=entity, id=str(alpha.user.pk), confirm=True)
    for answer in (created, updated, deleted):
        assert answer["error"]["code"] == "not_supported"
        assert PEOPLE in answer["error"]["message"]
    assert any(PEOPLE in note for note in admin("crm_describe", entity=entity)["notes"])


@pytest.mark.parametrize("entity", ["tags", "teams"])
def test_only_administrators_write(alpha, user, entity) -> None:
    record = str(getattr(alpha, entity)[0].pk)
    with unchanged():
        created = user("crm_create", entity=entity, data={"name": "X"})
        updated = user("crm_update", entity=entity, id=record, data={"name": "X"})
        deleted = user("crm_delete", entity=entity, id=record, confirm=True)
    for answer in (created, updated, deleted):
        assert answer["error"]["code"] == "forbidden"
    notes = user("crm_describe", entity=entity)["notes"]
    assert "Only an administrator can create, update or delete." in notes


def test_update_of_a_tag_keeps_its_name(alpha, admin) -> None:
    tag = alpha.tags[0]
    answer = admin("crm_update", entity="tags", id=str(tag.pk), data={"color": "red"})
    assert answer["record"]["name"] == tag.name
    assert answer["changed"] == {"color": {"before": "blue", "after": "red"}}


def test_tag_is_archived_and_restored(alpha, admin) -> None:
    one = {"entity": "tags", "id": str(alpha.tags[0].pk)}
    preview = admin("crm_delete", **one)["preview"]
    assert "archive" in preview["this_will"]
    assert "cannot be undone" not in preview["effects"]
    assert admin("crm_delete", **one, confirm=True)["deleted"]
    assert alpha.tags[0].name not in names(admin("crm_search", entity="tags"))
    assert not admin("crm_get", **one)["record"]["is_active"]
    admin("crm_action", **one, action="restore")
    assert alpha.tags[0].name in names(admin("crm_search", entity="tags"))


def test_tags_are_merged_once_a_person_agrees(alpha, admin) -> None:
    source, target = alpha.tags[0], alpha.tags[3]
    arguments = {
        "entity": "tags",
        "id": str(source.pk),
        "action": "merge",
        "params": {"into": target.name},
    }
    with unchanged():
        assert admin("crm_action", **arguments)["confirmation_required"]
    result = admin("crm_action", **arguments, confirm=True)["result"]
    assert result["moved"] > 0
    with org_context(alpha.org):
        assert not Lead.objects.filter(tags=source).exists()
        assert not Tag.objects.get(pk=source.pk).is_active


def test_team_with_members_by_name(alpha, admin) -> None:
    members = ["me", "Alpha Colleague0"]
    made = admin("crm_create", entity="teams", data={"name": "Night shift", "members": members})
    kept = {each["id"] for each in made["record"]["members"]}
    assert kept == {str(alpha.admin.pk), str(alpha.people[2].pk)}
    one = {"entity": "teams", "id": made["id"]}
    changed = admin("crm_update", **one, data={"description": "From ten to six"})["changed"]
    assert set(changed) == {"description"}
    data = {"members": [alpha.user.user.email]}
    assert "assign all members" in admin("crm_update", **one, data=data)["preview"]["this_will"]
    changed = admin("crm_update", **one, data=data, confirm=True)["changed"]
    assert [each["id"] for each in changed["members"]["after"]] == [str(alpha.user.pk)]
    assert admin("crm_delete", **one, confirm=True)["deleted"]
    with org_context(alpha.org):
        assert not Team.objects.filter(pk=made["id"]).exists()


def test_update_that_would_lose_what_may_not_be_read(alpha, tools_of) -> None:
    blind = tools_of(alpha.admin, scopes=["teams:write"])
    with unchanged():
        one = {"entity": "teams", "id": str(alpha.teams[1].pk)}
        error = blind("crm_update", **one, data={"members": ["me"]}, confirm=True)["error"]
    assert error["code"] == "insufficient_scope"
    assert "users:read" in error["message"]


def test_scopes(alpha, tools_of) -> None:
    reader = tools_of(alpha.admin, scopes=["users:read"])
    assert reader("crm_search", entity="teams")["total"] == 2
    created = reader("crm_create", entity="teams", data={"name": "X"})
    assert "teams:write" in created["error"]["message"]
    assert "tags:read" in reader("crm_search", entity="tags")["error"]["message"]


def test_deactivated_people_and_archived_tags_are_not_chosen(alpha, user) -> None:
    with org_context(alpha.org):
        Tag.objects.filter(pk=alpha.tags[0].pk).update(is_active=False)
    alpha.people[2].is_active = False
    alpha.people[2].save()
    for data in ({"tags": ["Alpha tag 0"]}, {"assigned_to": "Alpha Colleague0"}):
        answer = user("crm_create", entity="leads", data={"company_name": "X", **data})
        assert "fields" in answer["error"]
        assert "No " in str(answer["error"]["fields"])


def test_definitions_are_read_without_counting_records(alpha, user, monkeypatch) -> None:
    monkeypatch.setattr("demo_crm.services.custom_fields.records_without", None)
    with org_context(alpha.org):
        CustomFieldDefinition.objects.update(options=[{"value": "n", "label": "North"}])
    (row,) = user("crm_search", entity="custom_fields", fields=["options"], limit=1)["records"]
    assert row["options"] == [{"value": "n", "label": "North"}]
    described = user("crm_describe", entity="leads")["fields"]
    assert {"name": "custom_fields.region", "label": "Region", "type": "text"}.items() <= next(
        each for each in described if each["name"] == "custom_fields.region"
    ).items()
