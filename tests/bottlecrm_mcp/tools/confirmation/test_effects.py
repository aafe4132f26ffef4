"""What the CRM does with a value beyond storing it: deletes, hides, mails, or keeps for good."""

from typing import Any

import pytest

from demo_crm.access.row_security import org_context
from demo_crm.models import Invoice
from tests.bottlecrm_mcp.population import unchanged

LINE = {"name": "Robot arm", "quantity": 1, "unit_price": "100.00"}


def offer(alpha, **more) -> dict[str, Any]:
    return {
        "invoice_title": "Robot arm",
        "account": str(alpha.accounts[1].pk),
        "contact": str(alpha.contacts[1].pk),
        "client_email": "buyer@customer.test",
        "due_date": "in_30_days",
        "line_items": [LINE],
        **more,
    }


@pytest.fixture
def draft(admin, alpha) -> str:
    """The id of a draft invoice with one line item and an address."""
    return admin("crm_create", entity="invoices", data=offer(alpha))["id"]


@pytest.fixture
def issued(admin, draft) -> str:
    """The same once it was sent."""
    admin("crm_action", entity="invoices", id=draft, action="send", confirm=True)
    return draft


def shown(call, tool, **arguments) -> dict[str, Any]:
    """The preview of a call that changed nothing."""
    with unchanged():
        answer = call(tool, **arguments)
    assert answer.get("confirmation_required"), answer
    return answer["preview"]


def update(entity, record_id, **data) -> dict[str, Any]:
    return {"entity": entity, "id": record_id, "data": data}


def test_soft_delete_of_a_case(admin, alpha) -> None:
    hide = update("cases", str(alpha.cases[1].pk), is_active=False)
    assert "deletes" in shown(admin, "crm_update", **hide)["effects"]
    found = admin("crm_update", **hide, confirm=True)
    assert found["changed"] == {"is_active": {"before": True, "after": False}}
    assert "confirmation_required" not in admin(
        "crm_update", **update("cases", hide["id"], is_active=True)
    )


def test_lead_is_taken_off_the_board(admin, alpha) -> None:
    hide = update("leads", str(alpha.leads[1].pk), is_active=False)
    assert "hides it from others" in shown(admin, "crm_update", **hide)["effects"]


@pytest.mark.parametrize("items", [[], [{**LINE, "name": "Gripper"}]])
def test_line_items_of_a_draft_are_replaced(admin, draft, items) -> None:
    preview = shown(admin, "crm_update", **update("invoices", draft, line_items=items))
    assert preview["effects"] == ["deletes"]
    assert "delete its line items" in preview["this_will"]


def test_first_line_items_delete_nothing(admin, alpha) -> None:
    made = admin("crm_create", entity="invoices", data=offer(alpha, line_items=[]))["id"]
    answer = admin("crm_update", **update("invoices", made, line_items=[LINE]))
    assert answer["record"]["total_amount"] == "100.00"


def test_draft_is_changed_freely(admin, draft) -> None:
    free = {"notes": "Thanks", "client_email": "other@customer.test", "due_date": "2020-01-01"}
    assert "changed" in admin("crm_update", **update("invoices", draft, **free))
    added = admin("crm_action", entity="invoices", id=draft, action="add_line_item", params=LINE)
    assert "result" in added


@pytest.mark.parametrize(
    "data", [{"notes": "Pay elsewhere"}, {"line_items": []}, {"public_link_enabled": False}]
)
def test_issued_invoice(admin, issued, data) -> None:
    preview = shown(admin, "crm_update", **update("invoices", issued, **data))
    assert "changes a document that the customer has" in preview["effects"]


@pytest.mark.parametrize("action", ["add_line_item", "update_line_item", "remove_line_item"])
def test_line_items_of_an_issued_invoice(admin, issued, action) -> None:
    items = admin("crm_get", entity="invoices", id=issued, include=["line_items"])["line_items"]
    params = dict(LINE) if action == "add_line_item" else {}
    if action != "add_line_item":
        params["line_item_id"] = items["records"][0]["id"]
    if action == "update_line_item":
        params["unit_price"] = "5"
    preview = shown(admin, "crm_action", entity="invoices", id=issued, action=action, params=params)
    assert "changes a document that the customer has" in preview["effects"]


MAILED_LATER: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "address": ({}, {"client_email": "someone@else.test"}),
    "day": ({}, {"due_date": "2020-01-01"}),
    "enabled": ({"reminder_enabled": False}, {"reminder_enabled": True}),
    "sooner": ({}, {"reminder_days_after": 1}),
}


@pytest.mark.parametrize("case", MAILED_LATER)
def test_invoice_whose_reminders_are_mailed_later(admin, alpha, issued, case) -> None:
    before, data = MAILED_LATER[case]
    if before:
        admin("crm_update", **update("invoices", issued, **before), confirm=True)
    preview = shown(admin, "crm_update", **update("invoices", issued, **data))
    assert "e-mails people outside the organisation" in preview["effects"]
    address = data.get("client_email", "buyer@customer.test")
    assert preview["mailed_to"] == {"client_email": address}


def test_reminders_that_are_off_mail_nobody(admin, issued) -> None:
    preview = shown(admin, "crm_update", **update("invoices", issued, reminder_enabled=False))
    assert "e-mails people outside the organisation" not in preview["effects"]
    assert "mailed_to" not in preview


@pytest.mark.parametrize("action", ["mark_paid", "record_payment"])
def test_payment_is_not_taken_back(admin, draft, action) -> None:
    params = {"amount": 10, "payment_date": "today", "payment_method": "CASH"}
    pay = {"entity": "invoices", "id": draft, "action": action, "params": params}
    preview = shown(admin, "crm_action", **pay)
    # Part of a draft is paid: from then on the CRM reminds of the rest.
    assert preview["effects"] == ["cannot be undone", "e-mails people outside the organisation"]
    assert preview["mailed_to"] == {"client_email": "buyer@customer.test"}
    paid = admin("crm_action", **pay, confirm=True)["result"]["record"]
    assert paid["status"] == "Partially_Paid"
    payments = admin("crm_get", entity="invoices", id=draft, include=["payments"])["payments"]
    remove = {"payment_id": payments["records"][0]["id"]}
    left = admin(
        "crm_action",
        entity="invoices",
        id=draft,
        action="remove_payment",
        params=remove,
        confirm=True,
    )
    assert left["result"]["record"]["status"] == "Partially_Paid"


def test_customer_of_a_case_is_not_swapped_unseen(admin, alpha) -> None:
    """The survey of a closed case goes out later, to whoever its contact is by then."""
    case = str(alpha.cases[1].pk)
    close = {"entity": "cases", "id": case, "action": "close", "params": {"closed_on": "today"}}
    admin("crm_action", **close, confirm=True)
    swap = update("cases", case, contacts=[str(alpha.contacts[5].pk)])
    preview = shown(admin, "crm_update", **swap)
    assert preview["mailed_to"]["contacts"][0]["email"] == alpha.contacts[5].email


def test_members_of_a_team_are_assigned_for_good(admin, alpha) -> None:
    team, lead = alpha.teams[0], alpha.leads[3]
    with org_context(alpha.org):
        lead.teams.set([team])
        lead.assigned_to.clear()
    join = update("teams", str(team.pk), members=[alpha.user.user.email])
    assert "cannot be undone" in shown(admin, "crm_update", **join)["effects"]
    admin("crm_update", **update("teams", join["id"], name="Sales"))
    with org_context(alpha.org):
        assert not lead.assigned_to.exists(), "a new name assigns nobody"
    admin("crm_update", **join, confirm=True)
    admin("crm_update", **update("teams", join["id"], members=[]), confirm=True)
    with org_context(alpha.org):
        assert list(lead.assigned_to.all()) == [alpha.user]


def test_token_that_may_not_read_changes_nothing_unseen(tools_of, alpha, draft) -> None:
    writer = tools_of(alpha.admin, scopes=["invoices:write"])
    changes: list[dict[str, Any]] = [{"notes": "x"}, {"line_items": []}]
    with unchanged():
        for data in changes:
            error = writer("crm_update", **update("invoices", draft, **data), confirm=True)["error"]
            assert error["code"] == "insufficient_scope"


SEND = {"entity": "invoices", "action": "send"}


def without_address(alpha, record_id) -> None:
    with org_context(alpha.org):
        Invoice.objects.filter(pk=record_id).update(client_email="")


def test_sending_without_the_address_that_is_mailed(admin, alpha, draft) -> None:
    without_address(alpha, draft)
    with unchanged():
        for confirm in ({}, {"confirm": True}):
            error = admin("crm_action", **SEND, id=draft, **confirm)["error"]
            assert error["code"] == "invalid_value"
            assert list(error["fields"]) == ["client_email"]


def test_preview_of_a_mail_names_address_document_amount_and_day(admin, draft) -> None:
    preview = shown(admin, "crm_action", **SEND, id=draft)
    invoice = admin("crm_get", entity="invoices", id=draft)["record"]
    assert preview["mailed_to"] == {"client_email": "buyer@customer.test"}
    names = (
        "invoice_number",
        "invoice_title",
        "total_amount",
        "amount_due",
        "currency",
        "due_date",
    )
    assert preview["document"] == {name: invoice[name] for name in names}


def test_preview_of_a_survey_names_its_address(admin, alpha) -> None:
    close = {"entity": "cases", "id": str(alpha.cases[1].pk), "action": "close"}
    preview = shown(admin, "crm_action", **close, params={"closed_on": "today"})
    (contact,) = preview["mailed_to"]["contacts"]
    assert contact["email"] == alpha.contacts[1].email


def test_case_whose_contact_has_no_address(admin, alpha, mailoutbox) -> None:
    case, contact = alpha.cases[1], alpha.contacts[1]
    with org_context(alpha.org):
        type(contact).objects.filter(pk=contact.pk).update(email="")
    close = {"entity": "cases", "id": str(case.pk), "action": "close"}
    preview = shown(admin, "crm_action", **close, params={"closed_on": "today"})
    assert preview["mailed_to"].startswith("nobody")


def test_lead_without_an_address_is_not_converted(admin, alpha) -> None:
    lead = alpha.leads[1]
    with org_context(alpha.org):
        type(lead).objects.filter(pk=lead.pk).update(email="")
    convert = {"entity": "leads", "id": str(lead.pk), "action": "convert"}
    with unchanged():
        for asked in (
            ("crm_action", convert),
            ("crm_update", update("leads", convert["id"], status="converted")),
        ):
            assert list(admin(asked[0], **asked[1])["error"]["fields"]) == ["email"]
