from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bottlecrm_mcp.gateway.shared.rows import row_of
from demo_crm.access.row_security import org_context
from demo_crm.models import Account, Contact, Lead, Tag
from tests.bottlecrm_mcp.population import ENTITIES, NAMES, UNKNOWN_ID, rest_record, unchanged

NEW: dict[str, dict[str, Any]] = {
    "leads": {"first_name": "Nora", "last_name": "New", "email": "nora@new.test"},
    "contacts": {"first_name": "Nora", "last_name": "New", "email": "nora@new.test"},
    "accounts": {"name": "New Inc", "country": "DE", "annual_revenue": "12.5"},
    "opportunities": {"name": "New deal", "amount": 100, "stage": "proposal"},
    "tasks": {"title": "New task", "status": "New", "priority": "High", "due_date": "tomorrow"},
    "cases": {"name": "New case", "status": "New", "priority": "Urgent"},
    "invoices": {
        "invoice_title": "New invoice",
        "line_items": [{"name": "Work", "quantity": 2, "unit_price": "50"}],
    },
    "solutions": {"title": "New article", "description": "How it is done"},
}


def new(name, alpha):
    """Data for a new record, with people, tags and other records where there can be some."""
    entity, data = ENTITIES[name], dict(NEW[name])
    if name == "invoices":
        data |= {"account": str(alpha.accounts[1].pk), "contact": str(alpha.contacts[1].pk)}
    for field in entity.writable_fields:
        if field.to == "people":
            data[field.name] = ["me", "alpha.colleague1@example.com"]
        elif field.to == "tags":
            data[field.name] = "Alpha tag 2"
        elif field.to == "teams":
            data[field.name] = ["Alpha team 0", str(alpha.teams[1].pk)]
    return data


@pytest.mark.parametrize("name", NAMES)
def test_answers_with_the_record(user, api, alpha, name) -> None:
    data = new(name, alpha)
    answer = user("crm_create", entity=name, data=data)
    assert answer["entity"] == name
    shown = row_of(ENTITIES[name].fields, rest_record(api(alpha.user), name, answer["id"]))
    # The REST answer has their bare ids only.
    if name == "contacts":
        answer["record"]["tags"] = [{"id": each["id"]} for each in answer["record"]["tags"]]
    if name in ("contacts", "solutions"):
        answer["record"]["created_by"].pop("name")
    assert answer["record"] == shown
    for key in ("first_name", "name", "title", "invoice_title", "country"):
        assert shown.get(key) == data.get(key)
    if "assigned_to" in data:
        assert [each["name"] for each in shown["assigned_to"]] == [
            "Alpha Colleague1",
            "Alpha User",
        ]
    if "tags" in data:
        assert [each["id"] for each in shown["tags"]] == [str(alpha.tags[2].pk)]
    if "teams" in data:
        assert len(shown["teams"]) == 2


def test_choice_in_any_case_and_relative_day(admin, alpha) -> None:
    task = admin("crm_create", entity="tasks", data=NEW["tasks"] | {"priority": "hIGH"})["record"]
    today = datetime.now(ZoneInfo("Asia/Kolkata")).date()
    assert task["priority"] == "High"
    assert task["due_date"] == (today + timedelta(days=1)).isoformat()


def test_account_by_name(admin, alpha) -> None:
    acme = admin("crm_create", entity="accounts", data={"name": "Acme Corp"})
    data = {"first_name": "Ann", "last_name": "Lee", "account": "acme corp"}
    contact = admin("crm_create", entity="contacts", data=data)
    assert contact["record"]["account"] == {"id": acme["id"], "name": "Acme Corp"}


def test_name_of_the_body_is_understood_too(admin, alpha) -> None:
    data = NEW["invoices"] | {
        "account_id": str(alpha.accounts[1].pk),
        "contact_id": str(alpha.contacts[1].pk),
    }
    invoice = admin("crm_create", entity="invoices", data=data)["record"]
    assert invoice["account"]["id"] == data["account_id"]


def test_new_account_gets_tags_that_exist(admin, alpha) -> None:
    data = {"name": "Acme Corp", "tags": [str(alpha.tags[0].pk), "alpha tag 1"]}
    tags = admin("crm_create", entity="accounts", data=data)["record"]["tags"]
    assert [each["name"] for each in tags] == ["Alpha tag 0", "Alpha tag 1"]
    with org_context(alpha.org):
        assert Tag.objects.count() == 4


def test_new_account_makes_no_tag(admin, alpha) -> None:
    for tag in ("No such tag", UNKNOWN_ID):
        with unchanged():
            answer = admin("crm_create", entity="accounts", data={"name": "A", "tags": [tag]})
            assert answer["error"]["code"] in ("not_found", "invalid_value")


def test_custom_field(admin, alpha) -> None:
    data = {"name": "Acme Corp", "custom_fields": {"region": "north"}}
    record = admin("crm_create", entity="accounts", data=data)["record"]
    assert record["custom_fields"] == {"region": "north"}


@pytest.mark.parametrize("name", [each for each in NAMES if ENTITIES[each].writable_fields])
def test_required_fields(admin, alpha, name) -> None:
    required = {field.name for field in ENTITIES[name].fields if field.required}
    with unchanged():
        if not required:
            return
        answer = admin("crm_create", entity=name, data={})
    assert set(answer["error"]["fields"]) == required
    assert "Nothing was changed" in answer["error"]["hint"]


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("leads", "probability"),
        ("leads", "opportunity_amount"),
        ("accounts", "annual_revenue"),
        ("accounts", "number_of_employees"),
        ("opportunities", "amount"),
        ("opportunities", "probability"),
    ],
)
def test_number_below_the_least(user, alpha, name, field) -> None:
    data = {**NEW[name], field: -1}
    with unchanged():
        pk = str(getattr(alpha, name)[1].pk)
        created = user("crm_create", entity=name, data=data)
        updated = user("crm_update", entity=name, id=pk, data={field: "-0.01"})
    assert created["error"]["fields"] == {field: "Must be at least 0."}
    assert set(updated["error"]["fields"]) == {field}
    described = user("crm_describe", entity=name)["fields"]
    assert next(each for each in described if each["name"] == field)["minimum"] == 0


REFUSED_BY_THE_CRM = {
    "leads": {"email": "nora@", "first_name": "A"},
    "leads probability": {"first_name": "A", "probability": 101, "assigned_to": ["me"]},
    "contacts": {"first_name": "A", "last_name": "B", "phone": "12"},
    "accounts": {"name": "A", "website": "not a url", "tags": ["Alpha tag 0"]},
    "opportunities": {"name": "A", "stage": "CLOSED_WON", "assigned_to": ["me"]},
    "tasks": NEW["tasks"] | {"account": "alphaseen name odd 1", "lead": "alphaseen1@email.test"},
    "cases": NEW["cases"] | {"name": "alphaseen name odd 1"},
    "solutions": {"title": "A", "description": "B", "is_published": True},
}


@pytest.mark.parametrize("case", REFUSED_BY_THE_CRM)
def test_refused_by_the_crm(user, alpha, case) -> None:
    with unchanged():
        data = REFUSED_BY_THE_CRM[case]
        error = user("crm_create", entity=case.split()[0], data=data)["error"]
    assert error["code"] in ("rejected", "crm_error", "forbidden")
    assert "Nothing was changed" in error["hint"]
    assert "<" not in str(error)


@pytest.mark.parametrize(
    ("name", "data", "same"),
    [
        ("leads", {"first_name": "alphaseen first_name odd 1", "last_name": "x"}, None),
        (
            "contacts",
            {"first_name": "alphaseen first_name odd 1", "last_name": "Alphaseen last_name odd 1"},
            ["first_name", "last_name"],
        ),
        ("tasks", NEW["tasks"] | {"title": "alphaseen title odd 1"}, ["title"]),
        ("accounts", {"name": "Another", "email": "ALPHASEEN1@email.test"}, ["email"]),
    ],
)
def test_possible_duplicates(user, alpha, name, data, same) -> None:
    answer = user("crm_create", entity=name, data=data)
    duplicates = answer.get("possible_duplicates", [])
    if same is None:
        assert duplicates == []
    else:
        (duplicate,) = duplicates
        assert duplicate["id"] == str(getattr(alpha, name)[1].pk)
        assert duplicate["same"] == same


def test_duplicates_out_of_role_are_not_named(user, alpha) -> None:
    data = {
        "first_name": "alphahidden first_name odd 3",
        "last_name": "alphahidden last_name odd 3",
    }
    answer = user("crm_create", entity="contacts", data=data)
    assert "possible_duplicates" not in answer


def test_duplicates_of_another_organisation_are_not_named(admin, alpha, beta) -> None:
    data = {"first_name": "betaseen first_name odd 1", "last_name": "betaseen last_name odd 1"}
    answer = admin("crm_create", entity="contacts", data=data | {"email": "betaseen1@email.test"})
    assert "possible_duplicates" not in answer


def test_converted_at_once(admin, alpha) -> None:
    data = {
        "first_name": "Ann",
        "company_name": "Fresh",
        "email": "a@f.test",
        "status": "converted",
    }
    answer = admin("crm_create", entity="leads", data=data, confirm=True)
    assert answer["record"]["status"] == "converted"
    with org_context(alpha.org):
        assert str(Lead.objects.get(email="a@f.test").pk) == answer["id"]
        assert Account.objects.filter(name="Fresh").count() == 1
        assert Contact.objects.filter(email="a@f.test").count() == 1
