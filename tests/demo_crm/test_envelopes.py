"""The shape of the answers, as observed on BottleCRM."""

from typing import Any

import pytest

from tests.demo_crm.conftest import ENTITIES, url

LIST_KEYS = {
    "leads": "per_page page_number open_leads totals close_leads contacts status source tags users"
    " countries industries",
    "contacts": "active_count inactive_count per_page page_number count results contacts_count"
    " offset contact_obj_list countries users",
    "accounts": "per_page page_number active_accounts contacts closed_accounts teams countries"
    " industries tags users leads status",
    "opportunities": "totals per_page page_number opportunities_count offset opportunities"
    " accounts_list contacts_list tags stage lead_source currency",
    "tasks": "totals tasks_count offset tasks status priority users accounts_list contacts_list",
    "cases": "open_count urgent_count awaiting_first_reply cases_count offset cases status priority"
    " type_of_case accounts_list contacts_list users",
    "invoices": "count next previous results totals",
    "solutions": "count next previous results totals",
}
DETAIL_KEYS = {
    "leads": "lead_obj attachments comments users_mention assigned_data users users_excluding_team"
    " source status teams countries custom_field_definitions",
    "contacts": "contact_obj address_obj countries comments attachments assigned_data tasks"
    " users_mention opportunities cases colleagues custom_field_definitions",
    "accounts": "account_obj attachments comments contacts opportunity_list users cases teams"
    " stages sources countries currencies case_types case_priority case_status comment_permission"
    " tasks invoices emails users_mention leads status custom_field_definitions",
    "opportunities": "opportunity_obj comments attachments contacts users stage lead_source"
    " currency comment_permission users_mention custom_field_definitions",
    "tasks": "task_obj attachments comments users_mention assigned_data custom_field_definitions"
    " users users_excluding_team teams",
    "cases": "cases_obj attachments comments internal_notes contacts solutions activities"
    " email_messages merged_from_cases custom_field_definitions status priority type_of_case"
    " comment_permission users_mention",
    "invoices": "invoice attachments comments history custom_field_definitions",
    "solutions": "id title description status is_published org linked_cases case_count author"
    " created_at updated_at created_by updated_by",
}
ROWS = {
    "leads": ("open_leads", "open_leads"),
    "contacts": ("results",),
    "accounts": ("active_accounts", "open_accounts"),
    "opportunities": ("opportunities",),
    "tasks": ("tasks",),
    "cases": ("cases",),
    "invoices": ("results",),
    "solutions": ("results",),
}
ROW_KEYS = {
    "leads": "id title salutation first_name last_name email phone job_title website linkedin_url"
    " status source industry rating opportunity_amount currency probability close_date address_line"
    " city state postcode country assigned_to teams last_contacted next_follow_up description"
    " contacts tags created_by created_at updated_at is_active is_sample company_name stage"
    " kanban_order custom_fields",
    "contacts": "id first_name last_name email phone organization title department do_not_call"
    " linkedin_url address_line city state postcode country assigned_to teams tags description"
    " created_by created_at updated_at is_active org account account_detail linked_accounts"
    " custom_fields",
    "accounts": "id name email phone website industry number_of_employees annual_revenue currency"
    " address_line city state postcode country country_display assigned_to teams contacts tags"
    " description cases tasks opportunities rollups created_by created_at is_active org"
    " custom_fields",
    "opportunities": "id name account stage opportunity_type currency amount amount_source"
    " probability closed_on lead_source contacts line_items line_items_total assigned_to teams"
    " closed_by tags description created_by created_at is_active org created_on_arrow"
    " stage_changed_at days_in_stage aging_status custom_fields",
    "tasks": "id title status priority due_date account opportunity case lead assigned_to tags"
    " created_at",
    "cases": "id name status priority case_type closed_on description created_by created_at"
    " is_active account contacts teams assigned_to tags org custom_fields escalation_count"
    " last_escalation_fired_at sla_first_response_hours sla_resolution_hours first_response_at"
    " resolved_at sla_paused_at first_response_sla_deadline resolution_sla_deadline"
    " is_sla_first_response_breached is_sla_resolution_breached parent is_problem parent_summary"
    " child_count time_summary",
    "invoices": "id invoice_number invoice_title status account account_name contact contact_name"
    " client_name client_email issue_date due_date total_amount amount_due amount_paid currency"
    " is_overdue line_items_count created_at",
    "solutions": "id title description status is_published org case_count author created_at"
    " updated_at created_by updated_by",
}


def rows(entity: str, body: Any) -> list[dict[str, Any]]:
    for key in ROWS[entity]:
        body = body[key]
    return body


@pytest.mark.parametrize("entity", ENTITIES)
def test_list_keys(api, alpha_admin, by_admin, entity):
    answer = api(alpha_admin).get(url(entity))
    assert answer.status_code == 200
    assert set(answer.json()) == set(LIST_KEYS[entity].split())


@pytest.mark.parametrize("entity", ENTITIES)
def test_row_keys(api, alpha_admin, by_admin, entity):
    (row,) = rows(entity, api(alpha_admin).get(url(entity)).json())
    assert row["id"] == str(getattr(by_admin, entity).pk)
    assert set(row) == set(ROW_KEYS[entity].split())


@pytest.mark.parametrize("entity", ENTITIES)
def test_detail_keys(api, alpha_admin, by_admin, entity):
    answer = api(alpha_admin).get(url(entity, getattr(by_admin, entity).pk))
    assert answer.status_code == 200
    assert set(answer.json()) == set(DETAIL_KEYS[entity].split())


def test_people_are_nested(api, alpha_admin, by_admin):
    api(alpha_admin).patch(
        url("leads", by_admin.leads.pk), {"assigned_to": [str(alpha_admin.pk)]}, format="json"
    )
    (lead,) = rows("leads", api(alpha_admin).get(url("leads")).json())
    (person,) = lead["assigned_to"]
    assert person["id"] == str(alpha_admin.pk)
    assert person["user_details"]["email"] == alpha_admin.user.email


@pytest.mark.parametrize("entity", ENTITIES)
def test_limit_and_offset(api, alpha_admin, by_admin, by_user, entity):
    client = api(alpha_admin)
    first = rows(entity, client.get(url(entity), {"limit": 1}).json())
    second = rows(entity, client.get(url(entity), {"limit": 1, "offset": 1}).json())
    assert {first[0]["id"], second[0]["id"]} == {
        str(getattr(by_admin, entity).pk),
        str(getattr(by_user, entity).pk),
    }


def test_slim_tasks_bundle_nothing(api, alpha_admin, by_admin):
    assert "accounts_list" not in api(alpha_admin).get(url("tasks"), {"slim": "true"}).json()


def test_contact_rows_come_twice(api, alpha_admin, by_admin):
    body = api(alpha_admin).get(url("contacts")).json()
    assert body["results"] == body["contact_obj_list"]


def test_malformed_id_is_a_page(api, alpha_admin):
    answer = api(alpha_admin).get("/api/leads/nonsense/")
    assert answer.status_code == 404
    assert answer["Content-Type"].startswith("text/html")
