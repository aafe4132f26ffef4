"""What real clients send is taken as it is meant, and nothing else is."""

from typing import Any

import pytest

NULLS = {"query": None, "filters": None, "fields": None, "sort": None, "limit": None}


def test_null_is_absence(admin: Any, alpha: Any) -> None:
    with_nulls = admin("crm_search", entity="leads", **NULLS, offset=None)
    assert with_nulls == admin("crm_search", entity="leads")
    assert "leads" in admin("list_actions", entity=None)["actions"]


def test_null_for_what_is_required(admin: Any) -> None:
    error = admin("crm_get", entity="leads", id=None)["error"]
    assert error["code"] == "invalid_arguments"
    assert "id" in error["message"]


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ({"filters": '{"status": "assigned"}'}, {"filters": {"status": "assigned"}}),
        ({"fields": '["status"]'}, {"fields": ["status"]}),
        ({"fields": "status"}, {"fields": ["status"]}),
        ({"limit": "3"}, {"limit": 3}),
        ({"limit": 3.0}, {"limit": 3}),
    ],
)
def test_json_text(admin: Any, alpha: Any, given: Any, meant: Any) -> None:
    answer = admin("crm_search", entity="leads", **given)
    assert "error" not in answer
    assert answer == admin("crm_search", entity="leads", **meant)


def test_text_of_a_write(admin: Any) -> None:
    answer = admin("crm_create", entity="leads", data='{"first_name": "Ann", "last_name": "Lee"}')
    assert answer["record"]["last_name"] == "Lee"


@pytest.mark.parametrize(
    "given",
    [
        {"filters": "[1]"}, {"filters": "status"}, {"filters": '"{}"'}, {"filters": "[" * 5_000},
        {"fields": "{}"},
        {"limit": "3.5"}, {"limit": "1e1"}, {"limit": "true"}, {"limit": "9" * 5_000},
        {"query": ["x"]}, {"query": "  "},
    ],
)  # fmt: skip
def test_text_that_is_something_else(admin: Any, given: Any) -> None:
    error = admin("crm_search", entity="leads", **given)["error"]
    assert error["code"] == "invalid_arguments"


@pytest.mark.parametrize("confirm", ["true", "True", 1, "1", "yes", [True]])
def test_confirm_stays_strict(admin: Any, alpha: Any, confirm: Any) -> None:
    lead = str(alpha.leads[1].pk)
    answer = admin("crm_delete", entity="leads", id=lead, confirm=confirm)
    assert answer["error"]["code"] == "invalid_arguments"


def test_all_faults_are_told_at_once(admin: Any) -> None:
    error = admin("crm_search", entity="leads", limit="many", sort=3, colour="red")["error"]
    assert set(error["fields"]) == {"limit", "sort", "colour"}
    assert all(name in error["message"] for name in error["fields"])


@pytest.mark.parametrize(
    ("name", "entity"),
    [("deals", "opportunities"), ("Deal", "opportunities"), ("tickets", "cases"), ("lead", "leads"),
     ("companies", "accounts"), ("Customer", "accounts"), (" Leads ", "leads")],
)  # fmt: skip
def test_other_names_of_entities(admin: Any, name: str, entity: str) -> None:
    assert admin("crm_search", entity=name)["entity"] == entity
