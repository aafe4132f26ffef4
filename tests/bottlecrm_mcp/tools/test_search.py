import json
from typing import Any

import pytest

from bottlecrm_mcp.tools.truncation import compact
from demo_crm.access.row_security import org_context
from demo_crm.models import CustomFieldDefinition, Invoice
from tests.bottlecrm_mcp.population import ENTITIES, NAMES


def holds_nothing(value) -> bool:
    """Whether a null or an empty value is anywhere in it."""
    if isinstance(value, dict):
        return any(holds_nothing(each) for each in value.values())
    if isinstance(value, list):
        return any(holds_nothing(each) for each in value)
    return value in (None, "")


@pytest.mark.parametrize("name", NAMES)
def test_rows_are_small(admin, alpha, name) -> None:
    answer = admin("crm_search", entity=name, limit=10)
    assert answer["returned"] == 10
    assert len(compact(answer)) < 4_000
    for row in answer["records"]:
        assert not holds_nothing(row)
        assert set(row) <= {"id", *ENTITIES[name].columns}


@pytest.mark.parametrize("name", NAMES)
def test_no_drop_down_data_html_or_secrets(user, alpha, name) -> None:
    with org_context(alpha.org):
        tokens = list(Invoice.objects.values_list("public_token", flat=True))
    fields = [each.name for each in ENTITIES[name].fields if each.listed and not each.computed]
    pk = str(getattr(alpha, name)[1].pk)
    answers = [
        user("crm_search", entity=name, fields=fields[:20]),
        user("crm_get", entity=name, id=pk),
    ]
    for answer in answers:
        assert "error" not in answer
        text = json.dumps(answer)
        assert "public_" not in text.replace("public_link_enabled", "")
        assert "/portal/" not in text
        assert not any(token in text for token in tokens)
        for word in (
            "countries",
            "industries",
            "users_mention",
            "<",
            "user_details",
            "profile_pic",
        ):
            assert word not in text


def test_chosen_fields(user, alpha) -> None:
    row = user("crm_search", entity="leads", fields=["city", "id", "tags", "city"])["records"][0]
    assert set(row) <= {"id", "city", "tags"}


def test_references_have_id_and_name(user, alpha) -> None:
    fields = ["account", "assigned_to", "tags", "created_by", "contacts", "teams"]
    rows = user("crm_search", entity="opportunities", fields=fields)["records"]
    for row in rows:
        for name in fields:
            value = row.get(name, [])
            for each in value if isinstance(value, list) else [value]:
                assert set(each) == {"id", "name"}


def test_limit_and_next_offset(user, alpha) -> None:
    answer = user("crm_search", entity="tasks", limit=3)
    assert (answer["returned"], answer["next_offset"]) == (3, 3)
    last = user("crm_search", entity="tasks", limit=3, offset=6)
    assert "next_offset" not in last
    beyond = user("crm_search", entity="tasks", offset=100)
    assert beyond["total"] == answer["total"]
    assert "beyond" in beyond["notes"][0]


def test_long_texts_are_cut_in_lists(admin, alpha) -> None:
    pk = admin("crm_create", entity="accounts", data={"name": "A", "description": "x" * 900})["id"]
    (row,) = admin("crm_search", entity="accounts", filters={"name": "A"}, fields=["description"])[
        "records"
    ]
    assert len(row["description"]) < 300
    assert len(admin("crm_get", entity="accounts", id=pk)["record"]["description"]) == 900


def test_ranges_are_echoed(user, alpha) -> None:
    filters = user("crm_search", entity="tasks", filters={"due_date": "this_week"})["filters"]
    assert set(filters) == {"due_date__gte", "due_date__lte"}
    moments = user("crm_search", entity="tasks", filters={"created_at": "today"})["filters"]
    assert moments["created_at__gte"].endswith("T00:00:00+05:30")


def test_nothing_found(user, alpha) -> None:
    answer = user("crm_search", entity="leads", query="nobody at all")
    assert (answer["records"], answer["total"]) == ([], 0)
    assert "0 results" in answer["notes"][0]


def test_converted_leads_are_explained(user, alpha) -> None:
    error = user("crm_search", entity="leads", filters={"status": "converted"})["error"]
    assert "leaves converted leads out" in str(error)


# What is wrong, and what the answer names instead.
BAD: dict[str, tuple[dict[str, Any], str]] = {
    "entity": ({"entity": "laeds"}, "'leads'"),
    "entity of another kind": ({"entity": 5}, ""),
    "argument": ({"entity": "leads", "filter": {}}, "'filters'"),
    "field": ({"entity": "leads", "fields": ["emial"]}, "'email'"),
    "field of details": ({"entity": "tasks", "fields": ["description"]}, "crm_get"),
    "sort": ({"entity": "leads", "sort": "-craeted_at"}, "'created_at'"),
    "sort by a relation": ({"entity": "leads", "sort": "assigned_to"}, "sorted"),
    "filter": ({"entity": "leads", "filters": {"stauts": "closed"}}, "'status'"),
    "operator": ({"entity": "leads", "filters": {"city__startswith": "A"}}, "city__contains"),
    "choice": ({"entity": "leads", "filters": {"status": "colsed"}}, "closed"),
    "one of several choices": ({"entity": "leads", "filters": {"status": ["closed", "x"]}}, "'x'"),
    "custom field": ({"entity": "leads", "filters": {"custom_fields.regoin": "x"}}, "'region'"),
    "date": ({"entity": "leads", "filters": {"created_at": "last someday"}}, "this_week"),
    "moment for a day": ({"entity": "tasks", "filters": {"due_date": "2026-01-01T10:00"}}, "date"),
    "number": ({"entity": "opportunities", "filters": {"amount__gte": "lots"}}, "number"),
    "not a number": ({"entity": "opportunities", "filters": {"amount__gte": "NaN"}}, "number"),
    "half": ({"entity": "leads", "filters": {"probability": 1.5}}, "whole number"),
    "boolean": ({"entity": "leads", "filters": {"is_active": "yes"}}, "true or false"),
    "emptiness": ({"entity": "leads", "filters": {"email__is_empty": 1}}, "true or false"),
    "null": ({"entity": "leads", "filters": {"email": None}}, "email__is_empty"),
    "object": ({"entity": "leads", "filters": {"email": {"a": 1}}}, "text"),
    "list for a range": ({"entity": "tasks", "filters": {"due_date__gte": ["today"]}}, "one value"),
    "empty list": ({"entity": "leads", "filters": {"status": []}}, "1 to 50"),
    "long list": ({"entity": "leads", "filters": {"city": ["a"] * 51}}, "1 to 50"),
    "filters as text": ({"entity": "leads", "filters": "status=closed"}, "object"),
    "limit": ({"entity": "leads", "limit": 51}, "50"),
    "limit as text": ({"entity": "leads", "limit": "five"}, "integer"),
    "offset": ({"entity": "leads", "offset": -1}, "0"),
    "huge offset": ({"entity": "leads", "offset": 10**12}, "1000000"),
    "long query": ({"entity": "leads", "query": "x" * 201}, "too long"),
    "NUL": ({"entity": "leads", "query": "a\x00b"}, "NUL"),
    "NUL in a filter": ({"entity": "leads", "filters": {"city": "a\x00"}}, "NUL"),
    "NUL in a key": ({"entity": "leads", "filters": {"city\x00": "a"}}, "NUL"),
    "nesting": ({"entity": "leads", "filters": {"city": [[[[[[[[["a"]]]]]]]]]}}, "nested"),
    "many fields": ({"entity": "leads", "fields": ["city"] * 21}, "At most 20 are taken"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input(user, two_orgs, case) -> None:
    with org_context(two_orgs.alpha):
        CustomFieldDefinition.objects.create(
            org=two_orgs.alpha, target_model="Lead", key="region", label="R", field_type="text"
        )
    arguments, told = BAD[case]
    error = user("crm_search", **arguments)["error"]
    assert error["code"] != "internal_error"
    text = " ".join([error["message"], *error.get("fields", {}).values(), error.get("hint", "")])
    assert told in text
    assert not any(word in text for word in ("SELECT", "Traceback", "<html", "psycopg"))


@pytest.mark.parametrize(
    ("name", "filters"),
    [
        ("opportunities", {"amount__gte": "1e400"}),
        ("opportunities", {"amount": 10**400}),
        ("opportunities", {"amount": "0.000000000000000000000000001"}),
        ("leads", {"probability__lte": 10**12}),
        ("leads", {"probability": -(2**63)}),
        ("leads", {"created_at__gte": "0001-01-01"}),
        ("leads", {"created_at__lte": "9999-12-31"}),
        ("leads", {"created_at__lte": "9999-12-31T23:59:59"}),
        ("tasks", {"due_date": "last_9999_days"}),
        ("leads", {"city": "x" * 100_000}),
        ("leads", {"city__contains": "\ud800"}),
        ("leads", {"city__contains": "\u202e\U0001f600'\";--"}),
    ],
)
def test_extreme_values(user, name, filters) -> None:
    answer = user("crm_search", entity=name, filters=filters)
    assert answer.get("error", {}).get("code") != "internal_error"


def test_source_of_a_converted_lead_is_found_as_the_choice(user, alpha) -> None:
    lead = str(alpha.leads[1].pk)
    user("crm_update", entity="leads", id=lead, data={"source": "existing customer"})
    converted = user("crm_action", entity="leads", id=lead, action="convert", confirm=True)
    found = user(
        "crm_search", entity="opportunities", filters={"lead_source": "EXISTING CUSTOMER"}, limit=50
    )
    assert converted["result"]["opportunity_id"] in [each["id"] for each in found["records"]]
