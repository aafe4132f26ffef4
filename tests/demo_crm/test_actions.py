from datetime import datetime, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from demo_crm.access.row_security import org_context
from demo_crm.models import Account, Contact, Opportunity
from demo_crm.models.service import SLA_HOURS
from tests.demo_crm.conftest import url

COMMENTED = ("leads", "contacts", "accounts", "opportunities", "tasks", "cases")
# Where a comment is checked before it is stored.
CHECKED = ("contacts", "accounts")


@pytest.fixture
def client(api, alpha_admin):
    return api(alpha_admin)


@pytest.mark.parametrize("entity", COMMENTED)
def test_comment(client, by_admin, entity):
    answer = client.post(url(entity, getattr(by_admin, entity).pk), {"comment": "hello"})
    assert answer.status_code == 200
    assert [each["comment"] for each in answer.json()["comments"]] == ["hello"]


def test_no_comment_is_no_error(client, by_admin):
    answer = client.post(url("leads", by_admin.leads.pk), {}, format="json")
    assert (answer.status_code, answer.json()["comments"]) == (200, [])


def test_comment_on_an_unknown_lead_is_a_server_error(client, in_beta):
    answer = client.post(url("leads", in_beta.leads.pk), {"comment": "x"}, format="json")
    assert answer.status_code == 500


def test_comment_of_somebody_else(api, client, alpha_user, by_admin):
    by_admin.leads.assigned_to.add(alpha_user)
    posted = client.post(url("leads", by_admin.leads.pk), {"comment": "mine"}).json()
    path = url("leads", "comment", posted["comments"][0]["id"])
    assert api(alpha_user).patch(path, {"comment": "x"}, format="json").status_code == 403
    assert client.patch(path, {"comment": "better"}, format="json").status_code == 200
    assert client.post(path, {"comment": "x"}, format="json").status_code == 405
    assert client.delete(path).status_code == 200


def test_internal_note_of_a_case(client, by_admin):
    path = url("cases", by_admin.cases.pk)
    posted = client.post(path, {"comment": "between us", "is_internal": True}, format="json")
    for body in (posted.json(), client.get(path).json()):
        assert [each["comment"] for each in body["internal_notes"]] == ["between us"]
        assert body["comments"] == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", COMMENTED)
def test_comment_that_is_too_long(client, by_admin, name):
    path = url(name, getattr(by_admin, name).pk)
    added = client.post(path, {"comment": "x" * 256}, format="json")
    assert added.status_code == (400 if name in CHECKED else 500)
    comment = client.post(path, {"comment": "x" * 255}, format="json").json()["comments"][0]
    edited = client.patch(url(name, "comment", comment["id"]), {"comment": "x" * 256})
    assert edited.status_code == 400
    assert list(edited.json()["errors"]) == ["comment"]


def test_first_response_to_a_case(client, by_admin):
    path = url("cases", by_admin.cases.pk)
    first_response_at = []
    for is_internal in (True, False, False):
        client.post(path, {"comment": "Hello", "is_internal": is_internal}, format="json")
        first_response_at.append(client.get(path).json()["cases_obj"]["first_response_at"])
    assert first_response_at[0] is None
    assert first_response_at[1] == first_response_at[2] is not None


@pytest.mark.parametrize(("priority", "hours"), SLA_HOURS.items())
def test_what_a_case_is_promised(client, priority, hours):
    data = {"name": priority, "status": "New", "priority": priority}
    path = url("cases", client.post(url("cases"), data, format="json").json()["id"])
    client.patch(path, {"priority": "Normal"}, format="json")
    case = client.get(path).json()["cases_obj"]
    start = datetime.fromisoformat(case["created_at"])
    for name, within in zip(("first_response", "resolution"), hours, strict=True):
        assert case[f"sla_{name}_hours"] == within
        deadline = datetime.fromisoformat(case[f"{name}_sla_deadline"])
        assert deadline - start == timedelta(hours=within)
        assert case[f"is_sla_{name}_breached"] is False


def test_what_was_done_to_a_case(client, alpha_admin):
    data = {"name": "Broken", "status": "New", "priority": "Low"}
    path = url("cases", client.post(url("cases"), data, format="json").json()["id"])
    client.patch(path, {"status": "Pending", "description": "Very"}, format="json")
    client.post(path, {"comment": "Hello"}, format="json")
    comment, update, status, creation = client.get(path).json()["activities"]
    assert [each["action"] for each in (comment, creation)] == ["COMMENT", "CREATE"]
    assert comment["user"]["user_details"]["email"] == alpha_admin.user.email
    assert (status["action"], status["metadata"]) == (
        "STATUS_CHANGED",
        {"before": "New", "after": "Pending"},
    )
    change = {"before": None, "after": "Very"}
    assert (update["action"], update["metadata"]) == (
        "UPDATE",
        {"changes": {"description": change}},
    )
    assert {each["description"] for each in (comment, update, status, creation)} == {""}


def test_invoice_comment(client, by_admin):
    path = url("invoices", by_admin.invoices.pk, "comments")
    answer = client.post(path, {"comment": "hello"}, format="json")
    assert answer.status_code == 201
    empty = client.post(path, {}, format="json")
    assert empty.json() == {"error": True, "message": "Comment text required"}


def test_convert_a_lead(client, alpha_admin, by_admin):
    lead = by_admin.leads
    client.post(url("leads", lead.pk), {"comment": "call back"})
    body = {"status": "converted", "description": "dropped"}
    made = client.patch(url("leads", lead.pk), body, format="json").json()
    with org_context(alpha_admin.org):
        lead.refresh_from_db()
        assert Account.objects.get(pk=made["account_id"]).name == "admins Lead"
        assert Contact.objects.get(pk=made["contact_id"]).email == lead.email
        assert Opportunity.objects.get(pk=made["opportunity_id"]).stage == "QUALIFICATION"
    assert (lead.status, lead.description) == ("converted", None)
    comments = client.get(url("accounts", made["account_id"])).json()["comments"]
    assert [each["comment"] for each in comments] == ["call back"]


def test_conversion_is_final(client, by_admin):
    path = url("leads", by_admin.leads.pk)
    client.patch(path, {"status": "converted"}, format="json")
    for status in ("converted", "assigned"):
        assert client.patch(path, {"status": status}, format="json").status_code == 400
    assert client.patch(path, {"description": "still"}, format="json").status_code == 200


def test_conversion_needs_an_email(client, by_admin):
    path = url("leads", by_admin.leads.pk)
    client.patch(path, {"email": None}, format="json")
    answer = client.patch(path, {"status": "converted"}, format="json")
    assert answer.status_code == 400
    assert "email" in answer.json()["errors"]


def test_conversion_matches_account_and_contact(client, by_admin):
    path = url("leads", by_admin.leads.pk)
    match = {"company_name": "ADMINS LTD", "email": "admins@customer.test"}
    client.patch(path, match, format="json")
    made = client.patch(path, {"status": "converted"}, format="json").json()
    assert made["account_id"] == str(by_admin.accounts.pk)
    assert made["contact_id"] == str(by_admin.contacts.pk)


def test_create_converted(client):
    body = {"first_name": "Ann", "email": "ann@lead.test", "status": "converted"}
    made = client.post(url("leads"), body, format="json").json()
    assert {"account_id", "contact_id", "opportunity_id"} <= set(made)


def test_moving_a_lead_to_converted_makes_nothing(client, alpha_admin, by_admin):
    path = url("leads", by_admin.leads.pk, "move")
    answer = client.patch(path, {"status": "converted"}, format="json")
    assert set(answer.json()) == {"error", "message", "lead"}
    with org_context(alpha_admin.org):
        assert Contact.objects.count() == 1


def test_send_an_invoice(client, by_admin, mailoutbox, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post(url("invoices", by_admin.invoices.pk, "send"))
    assert answer.status_code == 200
    assert [message.to for message in mailoutbox] == [["admins@customer.test"]]
    shown = client.get(url("invoices", by_admin.invoices.pk)).json()["invoice"]
    assert shown["status"] == "Sent"


def test_cancel_an_invoice(client, by_admin):
    path = url("invoices", by_admin.invoices.pk, "cancel")
    assert client.post(path).json()["invoice"]["status"] == "Cancelled"
    assert client.post(path).json() == {"error": True, "message": "Invoice is already cancelled"}
    send = client.post(url("invoices", by_admin.invoices.pk, "send"))
    assert send.json() == {"error": True, "message": "Cannot send a cancelled invoice"}


def test_mark_an_invoice_paid(client, by_admin):
    invoice = url("invoices", by_admin.invoices.pk)
    paid = client.post(f"{invoice}mark-paid/", {}, format="json").json()["invoice"]
    assert (paid["status"], paid["amount_due"]) == ("Paid", "0.00")
    payment = url("invoices", by_admin.invoices.pk, "payments", paid["payments"][0]["id"])
    client.delete(payment)
    assert client.get(invoice).json()["invoice"]["amount_due"] == "100.00"


def test_pay_a_part(client, by_admin):
    body = {"amount": "40", "payment_date": "2026-01-01", "payment_method": "CASH"}
    path = url("invoices", by_admin.invoices.pk, "payments")
    answer = client.post(path, body, format="json")
    assert answer.status_code == 201
    assert answer.json()["invoice"]["status"] == "Partially_Paid"
    too_much = client.post(path, {**body, "amount": "61"}, format="json")
    assert set(too_much.json()["errors"]) == {"amount"}


def test_duplicate_an_invoice(client, by_admin):
    answer = client.post(url("invoices", by_admin.invoices.pk, "duplicate"))
    copy = answer.json()["invoice"]
    assert answer.status_code == 201
    assert (copy["status"], copy["total_amount"]) == ("Draft", "100.00")
    assert copy["invoice_title"] == "Copy of admins invoice"


def test_invoice_line_items(client, by_admin):
    path = url("invoices", by_admin.invoices.pk, "line-items")
    added = client.post(path, {"name": "More", "unit_price": "20"}, format="json")
    assert added.status_code == 201
    item = f"{path}{added.json()['line_item']['id']}/"
    client.put(item, {"quantity": "3"}, format="json")
    invoice = client.get(url("invoices", by_admin.invoices.pk)).json()["invoice"]
    assert invoice["total_amount"] == "160.00"
    client.delete(item)
    assert len(client.get(path).json()) == 1


def test_line_item_of_a_deal_without_a_name(client, by_admin):
    path = url("opportunities", by_admin.opportunities.pk, "line-items")
    assert client.post(path, {}, format="json").json()["line_item"]["name"] == ""
    refused = client.post(path, {"name": None}, format="json")
    assert (refused.status_code, set(refused.json()["errors"])) == (400, {"name"})


def test_line_items_set_the_amount_of_a_deal(client, by_admin):
    deal = url("opportunities", by_admin.opportunities.pk)
    client.post(f"{deal}line-items/", {"name": "Part", "unit_price": "75"}, format="json")
    shown = client.get(deal).json()["opportunity_obj"]
    assert (shown["amount"], shown["amount_source"]) == ("75.00", "CALCULATED")
    assert client.patch(deal, {"amount": "80"}, format="json").status_code == 400


def test_close_a_case(client, by_admin, mailoutbox, django_capture_on_commit_callbacks):
    path = url("cases", by_admin.cases.pk)
    refused = client.patch(path, {"status": "Closed"}, format="json")
    assert set(refused.json()["errors"]) == {"closed_on"}
    body = {"status": "Closed", "closed_on": "2026-01-05"}
    with django_capture_on_commit_callbacks(execute=True):
        assert client.patch(path, body, format="json").status_code == 200
    assert [message.to for message in mailoutbox] == [["admins@customer.test"]]
    client.patch(path, {"status": "New"}, format="json")
    assert client.get(path).json()["cases_obj"]["closed_on"] is None


def test_watch_a_case(client, by_admin):
    path = url("cases", by_admin.cases.pk, "watch")
    assert [client.post(path).status_code for _ in range(2)] == [201, 200]
    shown = client.get(url("cases", by_admin.cases.pk, "watchers")).json()
    (watcher,) = shown["watchers"]
    assert (watcher["profile_id"], shown["count"]) == (str(by_admin.profile.pk), 1)
    assert (watcher["name"], watcher["subscribed_via"]) == ("alpha.admin@example.com", "manual")
    assert client.delete(path).status_code == 204


def test_watch_a_case_out_of_reach(api, alpha_user, by_admin):
    path = url("cases", by_admin.cases.pk, "watch")
    assert api(alpha_user).post(path).status_code == 404
    assert api(alpha_user).get(url("cases", by_admin.cases.pk, "watchers")).status_code == 404


def test_merge_and_unmerge(client, by_admin, by_user):
    source, target = by_user.cases.pk, by_admin.cases.pk
    client.post(url("cases", source), {"comment": "of the source"})
    client.post(url("cases", target), {"comment": "of the target"})
    merge = url("cases", source, "merge", target)
    assert "already_merged" not in client.post(merge).json()
    assert client.post(merge).json()["already_merged"] is True
    assert client.get(url("cases", source)).json()["merged_into"] == str(target)
    assert client.get(url("cases")).json()["cases_count"] == 1
    assert comments_of(client, target) == {"of the source", "of the target"}
    assert client.post(url("cases", source, "unmerge")).status_code == 200
    assert client.get(url("cases")).json()["cases_count"] == 2
    assert comments_of(client, source) == {"of the source"}
    restored = client.get(url("cases", source)).json()["cases_obj"]
    assert (restored["status"], restored["closed_on"]) == ("New", None)
    assert client.post(url("cases", source, "unmerge")).status_code == 400


def comments_of(client, case):
    return {each["comment"] for each in client.get(url("cases", case)).json()["comments"]}


def test_merge_is_for_creators(api, alpha_user, by_admin, by_user):
    path = url("cases", by_user.cases.pk, "merge", by_admin.cases.pk)
    assert api(alpha_user).post(path).status_code == 403


def test_link_a_solution(client, by_admin):
    path = url("cases", by_admin.cases.pk, "solutions")
    body = {"solution_id": str(by_admin.solutions.pk)}
    assert [client.post(path, body, format="json").status_code for _ in range(2)] == [201, 200]
    article = client.get(url("solutions", by_admin.solutions.pk)).json()
    assert [each["name"] for each in article["linked_cases"]] == ["admins case"]
    assert client.delete(f"{path}{by_admin.solutions.pk}/").status_code == 204


def test_publish_a_solution(api, client, alpha_user, by_user):
    article = url("solutions", by_user.solutions.pk)
    refused = api(alpha_user).patch(article, {"status": "approved"}, format="json")
    assert (refused.status_code, set(refused.json())) == (403, {"detail"})
    assert set(client.post(f"{article}publish/").json()) == {"error"}
    client.patch(article, {"status": "approved"}, format="json")
    assert api(alpha_user).post(f"{article}publish/").status_code == 403
    assert client.post(f"{article}publish/").json()["is_published"] is True
    assert client.post(f"{article}unpublish/").json()["is_published"] is False


def test_assignee_is_mailed(
    client, alpha_user, by_admin, mailoutbox, django_capture_on_commit_callbacks
):
    body = {"assigned_to": [str(alpha_user.pk)]}
    with django_capture_on_commit_callbacks(execute=True):
        client.patch(url("leads", by_admin.leads.pk), body, format="json")
    assert [message.to for message in mailoutbox] == [[alpha_user.user.email]]


SINGULAR = dict(
    zip(COMMENTED, ("lead", "contact", "account", "opportunity", "task", "case"), strict=True)
)


def attach(client, entity, record):
    """Attaches a file and gives its path in the API."""
    upload = SimpleUploadedFile("plan.pdf", b"...")
    if entity == "invoices":
        answer = client.post(url(entity, record.pk, "attachments"), {"file": upload})
        return url(entity, "attachments", answer.json()["attachment"]["id"])
    body = {f"{SINGULAR[entity]}_attachment": upload}
    answer = client.post(url(entity, record.pk), body).json()
    return url(entity, "attachment", answer["attachments"][0]["id"])


@pytest.mark.parametrize("entity", [*COMMENTED, "invoices"])
def test_attachment(api, client, alpha_user, beta_admin, by_admin, entity):
    record = getattr(by_admin, entity)
    path = attach(client, entity, record)
    shown = client.get(url(entity, record.pk)).json()["attachments"]
    assert [each["file_name"] for each in shown] == ["plan.pdf"]
    assert api(alpha_user).delete(path).status_code == 403
    assert api(beta_admin).delete(path).status_code == 404
    assert client.delete(path).status_code == 200
    assert client.delete(path).status_code == 404
    assert client.get(url(entity, record.pk)).json()["attachments"] == []


@pytest.mark.parametrize("entity", [*COMMENTED, "invoices"])
def test_own_attachment(api, alpha_user, by_user, entity):
    client = api(alpha_user)
    assert client.delete(attach(client, entity, getattr(by_user, entity))).status_code == 200


def test_invoice_attachment_without_a_file(client, by_admin):
    answer = client.post(url("invoices", by_admin.invoices.pk, "attachments"))
    assert (answer.status_code, answer.json()) == (400, {"error": True, "message": "File required"})
