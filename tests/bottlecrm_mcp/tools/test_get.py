from datetime import timedelta
from typing import Any

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from bottlecrm_mcp.catalogue import choices
from bottlecrm_mcp.gateway.in_process.gateway import InProcessGateway
from bottlecrm_mcp.gateway.shared.rows import row_of
from bottlecrm_mcp.tools.truncation import MOST_CHARACTERS, size
from demo_crm.access.row_security import org_context
from demo_crm.models import Attachment, Comment, Invoice
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
        ({"id": UNKNOWN_ID, "include": "coments"}, "invalid_arguments", "'comments'"),
        ({"id": UNKNOWN_ID, "inclued": []}, "invalid_arguments", "'include'"),
        ({}, "invalid_arguments", "either `id` or `ids`"),
        ({"id": UNKNOWN_ID, "ids": [UNKNOWN_ID]}, "invalid_arguments", "either `id` or `ids`"),
        ({"ids": []}, "invalid_arguments", "ids"),
        ({"ids": [UNKNOWN_ID] * 21}, "invalid_arguments", "ids"),
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


@pytest.mark.parametrize("name", NAMES)
def test_several_records_are_those_of_single_calls(user, alpha, name) -> None:
    ids = [str(each.pk) for each in getattr(alpha, name)[1:3]]
    answer = user("crm_get", entity=name, ids=[*ids, ids[0], UNKNOWN_ID])
    single = [user("crm_get", entity=name, id=each)["record"] for each in ids]
    assert [each["record"] for each in answer["records"]] == single
    (error,) = answer["errors"]
    assert (error["id"], error["code"]) == (UNKNOWN_ID, "not_found")


def test_several_by_name_with_what_belongs_to_them(user, alpha) -> None:
    accounts = alpha.accounts[1:3]
    names = [each.name for each in accounts]
    answer = user("crm_get", entity="accounts", ids=[*names, "Nobody"], include=["cases"])
    assert [each["record"]["id"] for each in answer["records"]] == [str(a.pk) for a in accounts]
    assert [each["cases"]["total"] for each in answer["records"]] == [1, 1]
    assert [each["id"] for each in answer["errors"]] == ["Nobody"]


def test_several_of_others_are_no_more_to_be_had_than_one(user, alpha) -> None:
    answer = user("crm_get", entity="leads", ids=[str(alpha.leads[1].pk), str(alpha.leads[3].pk)])
    assert len(answer["records"]) == 1
    assert [each["code"] for each in answer["errors"]] == ["forbidden"]


def test_several_that_do_not_fit_are_named(user, alpha) -> None:
    ids = []
    for number in range(20):
        texts = dict.fromkeys(("title", "job_title", "company_name", "website"), "x" * 250)
        data = {**texts, "description": f"{number} " + "y" * 900}
        ids.append(user("crm_create", entity="leads", data=data)["id"])
    answer = user("crm_get", entity="leads", ids=ids)
    shown = [each["record"]["id"] for each in answer["records"]]
    assert size(answer) <= MOST_CHARACTERS
    assert 0 < len(shown) < 20
    assert shown == ids[: len(shown)]
    assert "more than 500 characters were cut" in answer["notes"][0]
    assert all(each in answer["notes"][1] for each in ids[len(shown) :])


def test_long_text_is_read_on(user, alpha) -> None:
    text = "".join(f"{number:5} " for number in range(2_500)).strip()
    lead = {"entity": "leads", "id": str(alpha.leads[1].pk)}
    user("crm_update", **lead, data={"description": text})
    read, offset = "", 0
    while True:
        answer = user("crm_get", **lead, text_offset=offset)
        read += answer["record"]["description"].removesuffix("…")
        (note,) = answer["notes"]
        if "go on with" not in note:
            break
        offset = int(note.rpartition("=")[2].removesuffix("."))
    assert read == text


def test_search_says_that_it_cut_texts(user, alpha) -> None:
    user("crm_update", entity="leads", id=str(alpha.leads[1].pk), data={"description": "x" * 201})
    fields = ["first_name", "description"]
    answer = user("crm_search", entity="leads", fields=fields)
    assert any("(description); crm_get shows them" in each for each in answer["notes"])
    assert "notes" not in user("crm_search", entity="leads", fields=["first_name"])


def test_line_items_come_once(admin, alpha) -> None:
    invoice = {"entity": "invoices", "id": str(alpha.invoices[1].pk)}
    items = [{"name": "A", "quantity": 2, "unit_price": 10}]
    admin("crm_update", **invoice, data={"line_items": items}, confirm=True)
    assert admin("crm_get", **invoice)["record"]["line_items"][0]["name"] == "A"
    answer = admin("crm_get", **invoice, include=["line_items"])
    assert "line_items" not in answer["record"]
    assert answer["line_items"]["records"][0]["name"] == "A"


WITH_NOTES = [each for each in NAMES if each != "solutions"]


@pytest.mark.parametrize("name", WITH_NOTES)
def test_comments_and_files_without_the_detail_view(admin, user, alpha, name, monkeypatch) -> None:
    """The same rows as of the detail view, under the same rule, with people by their names."""
    seen, hidden = getattr(alpha, name)[1], getattr(alpha, name)[3]
    kind = ContentType.objects.get_for_model(seen)
    with org_context(alpha.org):
        for record in (seen, hidden):
            kept = {"content_type": kind, "object_id": record.pk, "org": alpha.org}
            by = {"created_by": alpha.user.user}
            for number in range(3):
                Comment.objects.create(
                    comment=f"No {number}", commented_by=alpha.user, **kept, **by
                )
                Attachment.objects.create(file_name=f"{number}.pdf", **kept, **by)
    asked = {"entity": name, "include": ["comments", "attachments"]}
    quick = user("crm_get", **asked, id=str(seen.pk))
    assert user("crm_get", **asked, id=str(hidden.pk))["error"]["code"] == "forbidden"
    with monkeypatch.context() as patch:
        patch.setattr(InProcessGateway, "attached", lambda *_: None)
        slow = user("crm_get", **asked, id=str(seen.pk))
        assert user("crm_get", **asked, id=str(hidden.pk))["error"]["code"] == "forbidden"
    assert [each["comment"] for each in quick["comments"]["records"]] == ["No 2", "No 1", "No 0"]
    assert quick["comments"]["records"][0]["commented_by"]["name"] == "Alpha User"
    assert quick["attachments"]["records"][0]["created_by"]["name"] == "Alpha User"
    assert quick == slow
