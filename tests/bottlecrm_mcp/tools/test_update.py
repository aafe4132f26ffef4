from typing import Any

import pytest

from bottlecrm_mcp.gateway.shared.rows import row_of
from bottlecrm_mcp.tools.crm import identity
from tests.bottlecrm_mcp.population import ENTITIES, NAMES, rest_record, unchanged

CHANGES: dict[str, dict[str, Any]] = {
    "leads": {"city": "Pune", "opportunity_amount": "77.00"},
    "contacts": {"city": "Pune", "do_not_call": False},
    "accounts": {"city": "Pune", "number_of_employees": 77},
    "opportunities": {"description": "Changed", "probability": 77},
    "tasks": {"title": "Changed", "status": "Completed"},
    "cases": {"description": "Changed", "priority": "Low"},
    "invoices": {"notes": "Changed", "due_date": "2030-01-31"},
    "solutions": {"title": "Changed", "description": "Changed too"},
}
# What the CRM works out anew when a record, an invoice above all, is saved.
COMPUTED = {
    "updated_at",
    "is_overdue",
    # An account that a contact belongs to lists it.
    "linked_accounts",
    "subtotal",
    "discount_amount",
    "tax_amount",
    "total_amount",
    "amount_due",
}


@pytest.mark.parametrize("name", NAMES)
def test_answers_with_what_changed(user, api, alpha, name) -> None:
    pk = str(getattr(alpha, name)[1].pk)
    before = user("crm_get", entity=name, id=pk)["record"]
    answer = user("crm_update", entity=name, id=pk, data=CHANGES[name], confirm=True)
    changed = {key: each for key, each in answer["changed"].items() if key not in COMPUTED}
    assert changed == {
        key: {"before": before.get(key), "after": value} for key, value in CHANGES[name].items()
    }
    shown = row_of(ENTITIES[name].fields, rest_record(api(alpha.user), name, pk))
    assert {key: shown[key] for key in CHANGES[name]} == CHANGES[name]
    read = user("crm_get", entity=name, id=pk)["record"]
    assert answer["record"] == identity(ENTITIES[name], read)


@pytest.mark.parametrize("name", [each for each in NAMES if each != "solutions"])
def test_what_is_not_named_stays(user, alpha, name) -> None:
    pk = str(getattr(alpha, name)[2].pk)
    before = user("crm_get", entity=name, id=pk)["record"]
    user("crm_update", entity=name, id=pk, data=CHANGES[name], confirm=True)
    after = user("crm_get", entity=name, id=pk)["record"]
    for key in set(before) - set(CHANGES[name]) - COMPUTED:
        assert after[key] == before[key], key


@pytest.mark.parametrize("name", ["leads", "contacts", "accounts", "opportunities", "tasks"])
def test_relations_are_replaced_and_emptied(user, alpha, name) -> None:
    pk = str(getattr(alpha, name)[1].pk)

    def assigned(to) -> list[str]:
        user("crm_update", entity=name, id=pk, data={"assigned_to": to})
        record = user("crm_get", entity=name, id=pk)["record"]
        return [each["name"] for each in record.get("assigned_to", ())]

    assert assigned(["me", "Alpha Colleague2"]) == ["Alpha Colleague2", "Alpha User"]
    assert assigned("alpha.admin@example.com") == ["Alpha Admin"]
    assert assigned([{"id": str(alpha.people[3].pk)}]) == ["Alpha Colleague1"]
    assert assigned([]) == []
    assert assigned("me") == ["Alpha User"]
    assert assigned(None) == []


def test_single_relation_is_emptied(user, alpha) -> None:
    pk = str(alpha.contacts[1].pk)
    answer = user("crm_update", entity="contacts", id=pk, data={"account": None})
    assert answer["changed"]["account"]["after"] is None


def test_parent_of_a_task_is_swapped(user, alpha) -> None:
    pk = str(alpha.tasks[1].pk)
    data = {"account": None, "opportunity": None, "case": None, "lead": "alphaseen2@email.test"}
    answer = user("crm_update", entity="tasks", id=pk, data=data)
    assert answer["changed"]["lead"]["after"]["id"] == str(alpha.leads[2].pk)


def test_long_text_is_not_sent_back(user, alpha) -> None:
    lead = {"entity": "leads", "id": str(alpha.leads[1].pk)}
    answer = user("crm_update", **lead, data={"description": "x" * 5_000})
    assert len(answer["changed"]["description"]["after"]) < 600
    assert user("crm_get", **lead)["record"]["description"] == "x" * 5_000


def test_line_items_of_an_invoice_are_replaced(user, alpha) -> None:
    pk = str(alpha.invoices[1].pk)
    items = [{"name": "A", "quantity": 2, "unit_price": 10}, {"name": "B", "unit_price": "5.50"}]
    user("crm_update", entity="invoices", id=pk, data={"line_items": items}, confirm=True)
    shown = user("crm_get", entity="invoices", id=pk, include=["line_items"])["line_items"]
    assert [each["name"] for each in shown["records"]] == ["A", "B"]


@pytest.mark.parametrize(
    ("name", "data", "field"),
    [
        ("leads", {"created_at": "2026-01-01"}, "created_at"),
        ("leads", {"first_name": "A", "created_by": "me"}, "created_by"),
        ("invoices", {"status": "Paid"}, "status"),
        ("invoices", {"assigned_to": "me"}, "assigned_to"),
        ("cases", {"account": "alphaseen name odd 1"}, "account"),
        ("tasks", {"title": ""}, "title"),
        ("accounts", {"name": None}, "name"),
        ("leads", {"fist_name": "A"}, "fist_name"),
        ("leads", {"org": "A"}, "org"),
        ("leads", {"is_sample": True}, "is_sample"),
    ],
)
def test_what_can_not_be_changed(user, alpha, name, data, field) -> None:
    with unchanged():
        pk = str(getattr(alpha, name)[1].pk)
        error = user("crm_update", entity=name, id=pk, data=data)["error"]
    assert error["code"] == "invalid_value"
    assert set(error["fields"]) == {field}


def test_nothing_to_change(user, alpha) -> None:
    error = user("crm_update", entity="leads", id=str(alpha.leads[1].pk), data={})["error"]
    assert error["code"] == "invalid_arguments"


REFUSED_BY_THE_CRM = [
    ("leads", {"city": "Pune", "probability": 101, "assigned_to": "me"}),
    ("leads", {"city": "Pune", "email": "alphaseen2@email.test", "tags": []}),
    ("contacts", {"city": "Pune", "phone": "12", "assigned_to": []}),
    ("accounts", {"city": "Pune", "website": "x", "tags": []}),
    ("opportunities", {"description": "x", "probability": 101, "assigned_to": []}),
    ("tasks", {"title": "x", "account": "alphaseen name odd 5", "lead": "alphaseen2@email.test"}),
    ("cases", {"description": "x", "name": "alphaseen name even 2", "assigned_to": []}),
    ("invoices", {"notes": "x", "client_email": "x"}),
    ("solutions", {"title": "x", "status": "approved"}),
]


@pytest.mark.parametrize(("name", "data"), REFUSED_BY_THE_CRM)
def test_refused_by_the_crm(user, alpha, name, data) -> None:
    with unchanged():
        pk = str(getattr(alpha, name)[1].pk)
        error = user("crm_update", entity=name, id=pk, data=data, confirm=True)["error"]
    assert error["code"] in ("rejected", "crm_error", "forbidden")
    assert "Nothing was changed" in error["hint"]


def test_conversion_comes_alone(user, alpha) -> None:
    with unchanged():
        data = {"status": "converted", "city": "Pune"}
        pk = str(alpha.leads[1].pk)
        error = user("crm_update", entity="leads", id=pk, data=data, confirm=True)["error"]
    assert error["code"] == "invalid_arguments"
    assert "city" in error["message"]


def test_conversion_by_update(user, alpha) -> None:
    pk = str(alpha.leads[1].pk)
    data = {"status": "converted"}
    answer = user("crm_update", entity="leads", id=pk, data=data, confirm=True)
    assert answer["changed"] == {"status": {"before": "in process", "after": "converted"}}


def test_records_of_others_in_the_organisation(user, alpha) -> None:
    for name in NAMES:
        with unchanged():
            pk = str(getattr(alpha, name)[3].pk)
            answer = user("crm_update", entity=name, id=pk, data=CHANGES[name])
            assert answer["error"]["code"] == "forbidden"
