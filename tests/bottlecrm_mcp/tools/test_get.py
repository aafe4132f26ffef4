from datetime import timedelta
from typing import Any

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from bottlecrm_mcp.catalogue import choices
from bottlecrm_mcp.gateway.shared.rows import row_of
from demo_crm.access.row_security import org_context
from demo_crm.models import Comment, Invoice
from tests.bottlecrm_mcp.population import ENTITIES, NAMES, UNKNOWN_ID, rest_record
from tests.bottlecrm_mcp.tools.test_search import holds_nothing


@pytest.mark.parametrize("name", [each for each in NAMES if each != "contacts"])
def test_record_is_that_of_the_rest_answer(user, api, alpha, name) -> None:
    pk = str(getattr(alpha, name)[2].pk)
    answer = user("crm_get", entity=name, id=pk)
    assert answer["record"] == row_of(ENTITIES[name].fields, rest_record(api(alpha.user), name, pk))
    assert not holds_nothing(answer)


def test_related_records_are_those_of_their_own_list(user, alpha) -> None:
    account = str(alpha.accounts[1].pk)
    answer = user(
        "crm_get", entity="accounts", id=account, include=["opportunities", "cases", "invoices"]
    )
    for name in ("opportunities", "cases", "invoices"):
        assert [row["id"] for row in answer[name]["records"]] == [str(getattr(alpha, name)[1].pk)]
        assert answer[name]["total"] == 1


def test_lead_that_no_list_has(user, alpha) -> None:
    pk = str(alpha.leads[1].pk)
    user("crm_action", entity="leads", id=pk, action="convert", confirm=True)
    assert user("crm_get", entity="leads", id=pk)["record"]["status"] == "converted"


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        ({"id": UNKNOWN_ID}, "not_found", "not found"),
        ({"id": "7"}, "not_found", "No lead matches"),
        ({"id": " "}, "invalid_id", "crm_search"),
        ({"id": 7}, "invalid_arguments", "string"),
        ({"id": UNKNOWN_ID.upper() + "\x00"}, "invalid_arguments", "NUL"),
        ({"id": UNKNOWN_ID, "include": ["coments"]}, "invalid_arguments", "'comments'"),
        ({"id": UNKNOWN_ID, "include": "comments"}, "invalid_arguments", "array"),
        ({"id": UNKNOWN_ID, "inclued": []}, "invalid_arguments", "'include'"),
    ],
)
def test_bad_input(user, arguments, code, told) -> None:
    error = user("crm_get", entity="leads", **arguments)["error"]
    assert error["code"] == code
    assert told in str(error)


def test_comments_are_bounded(user, alpha) -> None:
    lead = alpha.leads[1]
    kept = {"content_type": ContentType.objects.get_for_model(lead), "object_id": lead.pk}
    with org_context(alpha.org):
        Comment.objects.bulk_create(
            Comment(comment=f"No {number}", org=alpha.org, commented_by=alpha.user, **kept)
            for number in range(23)
        )
    comments = user("crm_get", entity="leads", id=str(lead.pk), include=["comments"])["comments"]
    assert (comments["total"], comments["returned"]) == (23, 20)


def test_comments_come_newest_first(user, alpha) -> None:
    pk = str(alpha.leads[1].pk)
    texts = [f"No {number}" for number in range(5)]
    for text in texts:
        user("crm_action", entity="leads", id=pk, action="add_comment", params={"comment": text})
    comments = user("crm_get", entity="leads", id=pk, include=["comments"])["comments"]
    assert [each["comment"] for each in comments["records"]] == texts[::-1]


def test_history_of_a_case_says_what_changed(user, alpha) -> None:
    pk = str(alpha.cases[1].pk)
    data = {"description": "x" * 600, "priority": "Urgent"}
    before = user("crm_get", entity="cases", id=pk)["record"]["priority"]
    user("crm_update", entity="cases", id=pk, data=data)
    case = user("crm_get", entity="cases", id=pk, include=["activity"])
    changed, raised = case["activity"]["records"]
    assert raised["metadata"] == {"before": before, "after": "Urgent"}
    described = changed["metadata"]["changes"]["description"]["after"]
    assert described.startswith("xxx")
    assert len(described) < 600
    assert raised["user"]["name"] == alpha.user.user.email
    assert "activity" in case["untrusted"]


def statements(call) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        call()
    return [each["sql"] for each in captured]


def detail_of(api, alpha, name: str, pk: str) -> dict[str, Any]:
    return row_of(ENTITIES[name].fields, rest_record(api(alpha.admin), name, pk))


def test_line_items_are_those_of_the_detail(admin, api, alpha) -> None:
    pk = str(alpha.invoices[1].pk)
    items = [
        {"name": f"Item {number}", "quantity": number, "unit_price": "9.5", "order": 3 - number}
        for number in range(1, 4)
    ]
    updated = admin(
        "crm_update", entity="invoices", id=pk, data={"line_items": items}, confirm=True
    )
    assert "changed" in updated, updated
    record = admin("crm_get", entity="invoices", id=pk)["record"]
    assert [each["name"] for each in record["line_items"]] == ["Item 3", "Item 2", "Item 1"]
    assert record == detail_of(api, alpha, "invoices", pk)


@pytest.mark.parametrize("status", choices.INVOICE_STATUS)
def test_overdue_is_what_the_crm_says_it_is(admin, api, alpha, org_context, status) -> None:
    with timezone.override(alpha.org.timezone):
        today = timezone.localdate()
    invoices = alpha.invoices[:4]
    due = (today - timedelta(days=1), today, today + timedelta(days=1), None)
    with org_context(alpha.org):
        for invoice, day in zip(invoices, due, strict=True):
            Invoice.objects.filter(pk=invoice.pk).update(status=status, due_date=day)
    for invoice in invoices:
        pk = str(invoice.pk)
        shown = admin("crm_get", entity="invoices", id=pk)["record"]
        assert shown["is_overdue"] == detail_of(api, alpha, "invoices", pk)["is_overdue"]


@pytest.mark.parametrize("name", ["tasks", "invoices", "cases"])
def test_known_record_is_read_without_its_detail(admin, alpha, name) -> None:
    pk = str(getattr(alpha, name)[1].pk)
    admin("crm_get", entity=name, id=pk)
    lean = statements(lambda: admin("crm_get", entity=name, id=pk))
    searched = statements(lambda: admin("crm_search", entity=name, limit=1))
    assert len(lean) <= 1.5 * len(searched)


def test_deadlines_of_a_case_come_when_asked_for(admin, api, alpha) -> None:
    pk = str(alpha.cases[1].pk)
    assert "is_sla_resolution_breached" not in admin("crm_get", entity="cases", id=pk)["record"]
    (sla,) = admin("crm_get", entity="cases", id=pk, include=["sla"])["sla"]["records"]
    detail = rest_record(api(alpha.admin), "cases", pk)
    assert {**sla, **detail} == detail
    assert "is_sla_resolution_breached" in sla
    assert "time_summary" in sla
