from datetime import timedelta

import pytest
from django.utils import timezone

from demo_crm.access.row_security import org_context
from demo_crm.models import Account, CustomFieldDefinition, Invoice, Lead, Opportunity, Task
from tests.demo_crm.conftest import url
from tests.demo_crm.test_envelopes import rows


def found(client, entity, **query):
    return len(rows(entity, client.get(url(entity), query).json()))


@pytest.fixture
def leads(alpha_admin):
    with org_context(alpha_admin.org):
        for status in ("assigned", "in process", "closed", "converted"):
            Lead.objects.create(
                org=alpha_admin.org,
                created_by=alpha_admin.user,
                first_name=status,
                status=status,
                city="Pune",
                custom_fields={"region": status},
            )


def test_closed_leads_are_the_other_half(api, alpha_admin, leads):
    body = api(alpha_admin).get(url("leads")).json()
    assert [lead["status"] for lead in body["close_leads"]["close_leads"]] == ["closed"]
    assert body["open_leads"]["leads_count"] == 2
    assert body["close_leads"]["leads_count"] == 1


def test_closed_accounts_are_the_other_half(api, alpha_admin, by_admin):
    with org_context(alpha_admin.org):
        Account.objects.create(name="Gone", org=alpha_admin.org, is_active=False)
    body = api(alpha_admin).get(url("accounts")).json()
    assert body["active_accounts"]["open_accounts_count"] == 1
    assert body["closed_accounts"]["close_accounts"][0]["name"] == "Gone"


def test_converted_leads_are_not_listed(api, alpha_admin, leads):
    body = api(alpha_admin).get(url("leads"), {"status": "converted"}).json()
    assert body["open_leads"]["leads_count"] == body["close_leads"]["leads_count"] == 0


def test_repeated_status(api, alpha_admin, leads):
    query = {"status": ["assigned", "in process"]}
    assert found(api(alpha_admin), "leads", **query) == 2


def test_solutions_have_no_custom_fields(api, alpha_admin, by_admin):
    assert found(api(alpha_admin), "solutions", cf_region="EU") == 1


@pytest.mark.parametrize("status", ["nonsense", "assigned,closed", "Assigned"])
def test_unknown_status_is_no_filter(api, alpha_admin, leads, status):
    assert found(api(alpha_admin), "leads", status=status) == 2


def test_unknown_status_of_a_case_matches_nothing(api, alpha_admin, by_admin):
    assert found(api(alpha_admin), "cases", status="nonsense") == 0


def test_unknown_filters_are_ignored(api, alpha_admin, leads):
    query = {"industry": "BANKING", "ordering": "x", "title": "nope"}
    assert found(api(alpha_admin), "leads", **query) == 2


def test_custom_field_filter(api, alpha_admin, leads):
    assert found(api(alpha_admin), "leads", cf_region="assigned") == 1


def test_stage_contains(api, alpha_admin):
    with org_context(alpha_admin.org):
        for stage in ("CLOSED_WON", "CLOSED_LOST", "PROPOSAL"):
            Opportunity.objects.create(name=stage, stage=stage, org=alpha_admin.org)
    assert found(api(alpha_admin), "opportunities", stage="CLOSED") == 2
    assert found(api(alpha_admin), "opportunities", open="true") == 1
    assert found(api(alpha_admin), "opportunities", open="yes") == 3


def test_assignee_filter(api, alpha_admin, alpha_user, by_admin):
    by_admin.tasks.assigned_to.add(alpha_user)
    client = api(alpha_admin)
    assert found(client, "tasks", assigned_to=str(alpha_user.pk)) == 1
    assert found(client, "tasks", assigned_to=str(alpha_admin.pk)) == 0


@pytest.mark.parametrize(
    ("entity", "query"),
    [
        ("leads", {"assigned_to": "nonsense"}),
        ("leads", {"created_at__gte": "nonsense"}),
        ("tasks", {"due_date__lte": "nonsense"}),
        ("opportunities", {"amount__gte": "nonsense"}),
        ("cases", {"account": "nonsense"}),
    ],
)
def test_malformed_filter(api, alpha_admin, entity, query):
    answer = api(alpha_admin).get(url(entity), query)
    assert answer.status_code == 400
    assert set(answer.json()) == set(query)


def test_due_dates(api, alpha_admin):
    today = timezone.localdate()
    with org_context(alpha_admin.org):
        for days in (-1, 0, 1):
            due = today + timedelta(days=days)
            Task.objects.create(
                title=str(days), status="New", priority="Low", due_date=due, org=alpha_admin.org
            )
    client = api(alpha_admin)
    assert found(client, "tasks", due_date__gte=today.isoformat()) == 2
    assert found(client, "tasks", due_date__lte=today.isoformat()) == 2


def test_created_by_a_date_leaves_that_day_out(api, alpha_admin, leads):
    today = timezone.now().date().isoformat()
    assert found(api(alpha_admin), "leads", created_at__gte=today) == 2
    assert found(api(alpha_admin), "leads", created_at__lte=today) == 0


def test_invoice_filters_have_one_underscore(api, alpha_admin, by_admin):
    client = api(alpha_admin)
    assert found(client, "invoices", issue_date_gte="2999-01-01") == 0
    assert found(client, "invoices", issue_date__gte="2999-01-01") == 1


def test_invoice_sort(api, alpha_admin, by_admin):
    with org_context(alpha_admin.org):
        Invoice.objects.create(
            invoice_title="Big", account=by_admin.accounts, total_amount=999, org=alpha_admin.org
        )
    titles = [
        row["invoice_title"]
        for row in rows(
            "invoices", api(alpha_admin).get(url("invoices"), {"sort": "-total_amount"}).json()
        )
    ]
    assert titles == ["Big", "admins invoice"]


def test_overdue_invoice(api, alpha_admin, by_admin):
    with org_context(alpha_admin.org):
        Invoice.objects.update(status="Sent", due_date=timezone.localdate() - timedelta(days=1))
    body = api(alpha_admin).get(url("invoices")).json()
    assert body["results"][0]["is_overdue"] is True
    assert body["totals"]["overdue"] == "100.00"


@pytest.mark.parametrize(("limit", "rows_expected"), [("3", 3), ("0", 10), ("x", 10), ("50", 12)])
def test_limit(api, alpha_admin, limit, rows_expected):
    with org_context(alpha_admin.org):
        for number in range(12):
            Task.objects.create(
                title=str(number), status="New", priority="Low", org=alpha_admin.org
            )
    assert found(api(alpha_admin), "tasks", limit=limit) == rows_expected


def test_an_assignee_more_is_not_a_row_more(api, alpha_user, by_user, alpha_admin):
    by_user.opportunities.assigned_to.add(alpha_user, alpha_admin)
    body = api(alpha_user).get(url("opportunities")).json()
    assert body["opportunities_count"] == len(body["opportunities"]) == 1


def test_custom_field_definitions_come_with_the_detail(api, alpha_admin, by_admin):
    with org_context(alpha_admin.org):
        CustomFieldDefinition.objects.create(
            org=alpha_admin.org,
            target_model="Lead",
            key="size",
            label="Size",
            field_type="dropdown",
            options=[{"value": "s", "label": "S"}],
        )
    client, path = api(alpha_admin), url("leads", by_admin.leads.pk)
    definitions = client.get(path).json()["custom_field_definitions"]
    assert [each["key"] for each in definitions] == ["size"]
    refused = client.patch(path, {"custom_fields": {"size": "xl"}}, format="json")
    assert set(refused.json()["errors"]["custom_fields"]) == {"size"}
    client.patch(path, {"custom_fields": {"size": "s", "unknown": 1}}, format="json")
    assert client.get(path).json()["lead_obj"]["custom_fields"] == {"size": "s"}
