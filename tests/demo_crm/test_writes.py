"""Creating, changing and deleting, with the quirks that clients have to live with."""

from uuid import uuid4

import pytest

from demo_crm.access.row_security import org_context
from demo_crm.models import Account, Contact, Lead, Opportunity, Tag, Task
from tests.demo_crm.conftest import url

COMPLETE = {
    "leads": {"first_name": "Ann"},
    "contacts": {"first_name": "Ann", "last_name": "Lee"},
    "accounts": {"name": "New account"},
    "opportunities": {"name": "New deal"},
    "tasks": {"title": "New task", "status": "New", "priority": "Low"},
    "cases": {"name": "New case", "status": "New", "priority": "Low"},
    "solutions": {"title": "New article", "description": "text"},
}
REQUIRED = {
    "contacts": {"first_name", "last_name"},
    "accounts": {"name"},
    "opportunities": {"name"},
    "tasks": {"title", "status", "priority"},
    "cases": {"name", "status", "priority"},
    "invoices": {"invoice_title", "account_id", "contact_id"},
}
WITH_ASSIGNEES = ("leads", "contacts", "accounts", "opportunities", "tasks", "cases")


@pytest.mark.parametrize("entity", ["leads", "tasks"])
def test_create_without_an_id(api, alpha_user, entity):
    answer = api(alpha_user).post(url(entity), COMPLETE[entity], format="json")
    assert answer.status_code == 200
    assert set(answer.json()) == {"error", "message"}


@pytest.mark.parametrize("entity", ["contacts", "accounts", "opportunities", "cases"])
def test_create_with_an_id(api, alpha_user, entity):
    answer = api(alpha_user).post(url(entity), COMPLETE[entity], format="json")
    assert answer.status_code == 200
    assert api(alpha_user).get(url(entity, answer.json()["id"])).status_code == 200


def test_create_solution(api, alpha_user):
    answer = api(alpha_user).post(url("solutions"), COMPLETE["solutions"], format="json")
    assert answer.status_code == 201
    assert answer.json()["title"] == "New article"


def test_create_invoice(api, alpha_admin, by_admin):
    body = {
        "invoice_title": "Work",
        "account_id": str(by_admin.accounts.pk),
        "contact_id": str(by_admin.contacts.pk),
        "tax_rate": "10",
        "line_items": [{"name": "Days", "quantity": 2, "unit_price": "150.00", "tax_rate": "20"}],
    }
    answer = api(alpha_admin).post(url("invoices"), body, format="json")
    invoice = answer.json()["invoice"]
    assert answer.status_code == 201
    # The line item's own tax is not part of the invoice's total.
    assert (invoice["subtotal"], invoice["total_amount"]) == ("300.00", "330.00")
    assert invoice["line_items"][0]["total"] == "360.00"


@pytest.mark.parametrize("entity", REQUIRED)
def test_required_fields(api, alpha_user, entity):
    answer = api(alpha_user).post(url(entity), {}, format="json")
    assert answer.status_code == 400
    assert answer.json()["error"] is True
    assert set(answer.json()["errors"]) == REQUIRED[entity]


def test_solution_errors_are_bare(api, alpha_user):
    answer = api(alpha_user).post(url("solutions"), {}, format="json")
    assert answer.status_code == 400
    assert set(answer.json()) == {"title", "description"}


def test_empty_lead(api, alpha_user):
    assert api(alpha_user).post(url("leads"), {}, format="json").status_code == 200


@pytest.mark.parametrize("entity", WITH_ASSIGNEES)
def test_put_keeps_scalars_and_empties_relations(api, alpha_admin, by_admin, entity):
    record = getattr(by_admin, entity)
    record.assigned_to.add(alpha_admin)
    with org_context(alpha_admin.org):
        type(record).objects.filter(pk=record.pk).update(description="kept")
    answer = api(alpha_admin).put(url(entity, record.pk), COMPLETE[entity], format="json")
    assert answer.status_code == 200
    with org_context(alpha_admin.org):
        record.refresh_from_db()
    assert record.description == "kept"
    assert not record.assigned_to.exists()


@pytest.mark.parametrize("entity", WITH_ASSIGNEES)
def test_patch_leaves_unnamed_relations(api, alpha_admin, by_admin, entity):
    record = getattr(by_admin, entity)
    record.assigned_to.add(alpha_admin)
    answer = api(alpha_admin).patch(url(entity, record.pk), {"description": "x"}, format="json")
    assert set(answer.json()) == {"error", "message"}
    assert record.assigned_to.exists()


@pytest.mark.parametrize("entity", WITH_ASSIGNEES)
def test_unknown_ids_are_dropped_and_empty_the_field(
    api, alpha_admin, beta_admin, by_admin, entity
):
    record = getattr(by_admin, entity)
    record.assigned_to.add(alpha_admin)
    body = {"assigned_to": [str(uuid4()), str(beta_admin.pk)]}
    assert api(alpha_admin).patch(url(entity, record.pk), body, format="json").status_code == 200
    assert not record.assigned_to.exists()


def test_malformed_id_after_the_scalars_are_saved(api, alpha_admin, by_admin):
    lead = by_admin.leads
    lead.assigned_to.add(alpha_admin)
    body = {"description": "half", "assigned_to": ["nonsense"]}
    answer = api(alpha_admin).patch(url("leads", lead.pk), body, format="json")
    assert answer.status_code == 400
    assert answer.json() == {"assigned_to": ["'nonsense' is not a valid id."]}
    with org_context(alpha_admin.org):
        lead.refresh_from_db()
    assert lead.description == "half"
    assert not lead.assigned_to.exists()


def test_refused_create_leaves_the_record(api, alpha_admin):
    body = {"first_name": "Half", "teams": ["nonsense"]}
    assert api(alpha_admin).post(url("leads"), body, format="json").status_code == 400
    with org_context(alpha_admin.org):
        assert Lead.objects.filter(first_name="Half").exists()


@pytest.mark.parametrize(
    ("entity", "field", "model"),
    [("contacts", "tags", Contact), ("accounts", "contacts", Account), ("tasks", "tags", Task)],
)
def test_malformed_id_as_a_server_error(api, alpha_admin, entity, field, model):
    body = {**COMPLETE[entity], field: ["nonsense"]}
    assert api(alpha_admin).post(url(entity), body, format="json").status_code == 500
    with org_context(alpha_admin.org):
        assert model.objects.count() == 1


@pytest.mark.parametrize("form", ["list", "objects", "json", "bare"])
def test_ways_to_write_ids(api, alpha_admin, by_admin, form):
    pk = str(alpha_admin.pk)
    value = {"list": [pk], "objects": [{"id": pk}], "json": f'["{pk}"]', "bare": pk}[form]
    api(alpha_admin).patch(url("leads", by_admin.leads.pk), {"assigned_to": value}, format="json")
    assert by_admin.leads.assigned_to.get() == alpha_admin


def test_ids_that_are_no_list(api, alpha_admin, by_admin):
    body = {"assigned_to": 5}
    answer = api(alpha_admin).patch(url("leads", by_admin.leads.pk), body, format="json")
    assert answer.json() == {"assigned_to": ["assigned_to must be a list of ids."]}


def test_new_account_makes_tags_by_name(api, alpha_user):
    body = {"name": "Tagged", "tags": ["Brand new"]}
    created = api(alpha_user).post(url("accounts"), body, format="json").json()
    with org_context(alpha_user.org):
        assert [tag.name for tag in Account.objects.get(pk=created["id"]).tags.all()] == [
            "Brand new"
        ]


def test_changed_account_takes_tag_ids(api, alpha_admin, by_admin):
    client, pk = api(alpha_admin), by_admin.accounts.pk
    client.patch(url("accounts", pk), {"tags": [str(by_admin.tag.pk)]}, format="json")
    with org_context(alpha_admin.org):
        assert by_admin.accounts.tags.get() == by_admin.tag
        assert Tag.objects.count() == 1


def test_contact_joins_its_account(api, alpha_admin, by_admin):
    body = {**COMPLETE["contacts"], "account": str(by_admin.accounts.pk)}
    created = api(alpha_admin).post(url("contacts"), body, format="json").json()
    shown = api(alpha_admin).get(url("contacts", created["id"])).json()["contact_obj"]
    assert [each["name"] for each in shown["linked_accounts"]] == ["admins Ltd"]


@pytest.mark.parametrize(
    ("entity", "field", "value"),
    [
        ("leads", "email", "ADMINS@lead.test"),
        ("contacts", "email", "ADMINS@customer.test"),
        ("accounts", "name", "ADMINS LTD"),
        ("opportunities", "name", "ADMINS deal"),
        ("cases", "name", "ADMINS case"),
    ],
)
def test_duplicates(api, alpha_admin, by_admin, entity, field, value):
    body = {**COMPLETE[entity], field: value}
    answer = api(alpha_admin).post(url(entity), body, format="json")
    assert answer.status_code == 400
    assert set(answer.json()["errors"]) == {field}


@pytest.mark.parametrize(
    ("entity", "field", "value"),
    [
        ("leads", "first_name", ""),
        ("leads", "last_name", " "),
        ("accounts", "annual_revenue", "-1"),
        *((entity, "custom_fields", [1]) for entity in WITH_ASSIGNEES),
    ],
)
def test_refused(api, alpha_admin, by_admin, entity, field, value):
    client, record = api(alpha_admin), getattr(by_admin, entity)
    for answer in (
        client.post(url(entity), {**COMPLETE[entity], field: value}, format="json"),
        client.patch(url(entity, record.pk), {field: value}, format="json"),
    ):
        assert answer.status_code == 400
        assert set(answer.json()["errors"]) == {field}


@pytest.mark.parametrize("probability", [{}, {"probability": 0}, {"probability": None}])
def test_no_probability_becomes_that_of_the_stage(api, alpha_admin, probability):
    client = api(alpha_admin)
    data = {"name": "Deal", "stage": "PROPOSAL", **probability}
    path = url("opportunities", client.post(url("opportunities"), data, format="json").json()["id"])
    for change, expected in (
        ({}, 50),
        ({"stage": "NEGOTIATION"}, 50),
        ({"probability": 33}, 33),
        ({"probability": 0}, 75),
    ):
        client.patch(path, change, format="json")
        assert client.get(path).json()["opportunity_obj"]["probability"] == expected


def test_contact_is_listed_by_its_account(api, alpha_admin, by_admin, by_user):
    client, path = api(alpha_admin), url("contacts", by_admin.contacts.pk)
    client.patch(path, {"account": str(by_user.accounts.pk)}, format="json")
    linked = client.get(path).json()["contact_obj"]["linked_accounts"]
    assert {each["name"] for each in linked} == {"admins Ltd", "users Ltd"}


def test_unknown_choice(api, alpha_admin, by_admin):
    answer = api(alpha_admin).patch(
        url("leads", by_admin.leads.pk), {"status": "Assigned"}, format="json"
    )
    assert set(answer.json()["errors"]) == {"status"}


@pytest.mark.django_db(transaction=True)
def test_negative_probability_of_a_lead_misleads(api, alpha_admin):
    answer = api(alpha_admin).post(url("leads"), {"probability": -1}, format="json")
    assert answer.status_code == 400
    assert answer.json()["errors"] == "A lead with these details already exists."


@pytest.mark.django_db(transaction=True)
def test_negative_amount_of_a_deal_is_a_server_error(api, alpha_admin):
    body = {"name": "Odd", "amount": "-5"}
    assert api(alpha_admin).post(url("opportunities"), body, format="json").status_code == 500


def test_winning_a_deal_needs_date_and_amount(api, alpha_admin, by_admin):
    answer = api(alpha_admin).patch(
        url("opportunities", by_admin.opportunities.pk), {"stage": "CLOSED_WON"}, format="json"
    )
    assert set(answer.json()["errors"]) == {"closed_on", "amount"}


def test_moving_a_deal_needs_neither(api, alpha_admin, by_admin):
    path = url("opportunities", by_admin.opportunities.pk, "move")
    assert api(alpha_admin).patch(path, {"stage": "CLOSED_WON"}, format="json").status_code == 200


def test_task_has_one_parent(api, alpha_admin, by_admin):
    client, path = api(alpha_admin), url("tasks", by_admin.tasks.pk)
    first = client.patch(path, {"lead": str(by_admin.leads.pk)}, format="json")
    second = client.patch(path, {"account": str(by_admin.accounts.pk)}, format="json")
    assert (first.status_code, second.status_code) == (200, 400)
    swap = {"lead": None, "account": str(by_admin.accounts.pk)}
    assert client.patch(path, swap, format="json").status_code == 200


def test_case_keeps_its_account(api, alpha_admin, by_admin, by_user):
    body = {"account": str(by_user.accounts.pk)}
    answer = api(alpha_admin).patch(url("cases", by_admin.cases.pk), body, format="json")
    assert answer.status_code == 200
    with org_context(alpha_admin.org):
        by_admin.cases.refresh_from_db()
    assert by_admin.cases.account_id == by_admin.accounts.pk


@pytest.mark.parametrize("method", ["patch", "delete", "post"])
def test_invoice_refuses(api, alpha_admin, by_admin, method):
    answer = getattr(api(alpha_admin), method)(url("invoices", by_admin.invoices.pk))
    assert answer.status_code == 405


def test_invoice_put_is_partial(api, alpha_admin, by_admin):
    body = {"notes": "thanks"}
    answer = api(alpha_admin).put(url("invoices", by_admin.invoices.pk), body, format="json")
    assert answer.json()["invoice"]["notes"] == "thanks"
    assert answer.json()["invoice"]["total_amount"] == "100.00"


@pytest.mark.parametrize("field", ["client_name", "client_email"])
def test_client_of_an_invoice_is_not_emptied(api, alpha_admin, by_admin, field):
    path = url("invoices", by_admin.invoices.pk)
    answer = api(alpha_admin).put(path, {field: ""}, format="json")
    assert answer.status_code == 400
    assert set(answer.json()["errors"]) == {field}


def test_invoice_status_is_not_writable(api, alpha_admin, by_admin):
    path = url("invoices", by_admin.invoices.pk)
    answer = api(alpha_admin).put(path, {"status": "Paid"}, format="json")
    assert answer.json()["invoice"]["status"] == "Draft"


def test_account_takes_deals_and_cases_with_it(api, alpha_admin, by_admin):
    with org_context(alpha_admin.org):
        by_admin.invoices.delete()
    assert api(alpha_admin).delete(url("accounts", by_admin.accounts.pk)).status_code == 200
    with org_context(alpha_admin.org):
        assert not Opportunity.objects.exists()
        assert Contact.objects.exists()


def test_account_with_invoices_is_a_server_error(api, alpha_admin, by_admin):
    assert api(alpha_admin).delete(url("accounts", by_admin.accounts.pk)).status_code == 500


def test_unknown_fields_are_ignored(api, alpha_admin, by_admin, two_orgs):
    body = {"org": str(two_orgs.beta.pk), "nonsense": 1}
    answer = api(alpha_admin).patch(url("leads", by_admin.leads.pk), body, format="json")
    assert answer.status_code == 200
