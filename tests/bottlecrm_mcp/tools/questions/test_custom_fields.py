"""Custom fields are fields like others: in filters, fields, order, groups, measures and data."""

import pytest

from tests.bottlecrm_mcp.tools.questions.conftest import found, named

FILTERS = [
    ({"score": 5}, {"N0"}),
    ({"score": "5.0"}, {"N0"}),
    ({"score__gte": 40}, {"N1", "N2"}),
    ({"score__gt": 40}, {"N2"}),
    ({"score__lt": "40"}, {"N0"}),
    ({"score": [5, 40]}, {"N0", "N1"}),
    ({"score__not": 5}, {"N1", "N2", "N3", "N4"}),
    ({"plan": "gold"}, {"N1", "N2"}),
    ({"plan": "Gold plan"}, {"N1", "N2"}),
    ({"plan": ["free", "gold"]}, {"N0", "N1", "N2"}),
    ({"plan__is_empty": True}, {"N3", "N4"}),
    ({"renewal": "2026-11"}, {"N0"}),
    ({"renewal": "2026-Q4"}, {"N0", "N1"}),
    ({"renewal__gt": "2026-12-31"}, {"N2"}),
    ({"renewal__lte": "2026-12"}, {"N0", "N1", "N3"}),
    ({"vip": True}, {"N1", "N2"}),
    ({"vip": "true"}, {"N1", "N2"}),
    ({"vip": False}, {"N0"}),
    ({"nick__contains": "jose"}, {"N1"}),
    ({"nick__is_empty": False}, {"N0", "N1"}),
]


@pytest.mark.parametrize(("filters", "wanted"), FILTERS, ids=named)
def test_filters_go_by_type(admin, custom, filters, wanted) -> None:
    named = {f"custom_fields.{key}": value for key, value in filters.items()}
    answer = admin("crm_search", entity="leads", filters=named)
    assert found(answer) == wanted
    assert answer["total"] == len(wanted)


@pytest.mark.parametrize(
    ("filters", "said"),
    [
        ({"custom_fields.plan": "silver"}, "Choices: gold, free."),
        ({"custom_fields.score": "many"}, "number"),
        ({"custom_fields.renewal": "someday"}, "date"),
        ({"custom_fields.vip": "perhaps"}, "true or false"),
        ({"custom_fields.scor": 1}, "'score'"),
        ({"score": 1}, "custom_fields.score"),
    ],
)
def test_what_can_t_be_meant_is_refused(admin, custom, filters, said) -> None:
    error = admin("crm_search", entity="leads", filters=filters)["error"]
    assert said in str(error["fields"])


def test_fields_and_order(admin, custom) -> None:
    answer = admin(
        "crm_search",
        entity="leads",
        fields=["first_name", "custom_fields.score", "custom_fields.vip"],
        sort="-custom_fields.score",
    )
    rows = [{key: row[key] for key in row if key != "id"} for row in answer["records"]]
    assert rows[:3] == [
        {"first_name": "N2", "custom_fields.score": 300.5, "custom_fields.vip": True},
        {"first_name": "N1", "custom_fields.score": 40.0, "custom_fields.vip": True},
        {"first_name": "N0", "custom_fields.score": 5.0, "custom_fields.vip": False},
    ]
    assert all("custom_fields.score" not in row for row in rows[3:])


def test_groups_and_measures(admin, custom) -> None:
    answer = admin(
        "crm_summarize",
        entity="leads",
        group_by=["custom_fields.plan"],
        measures=["count", "sum:custom_fields.score"],
    )
    assert answer["groups"] == [
        {"custom_fields.plan": "gold", "count": 2, "sum:custom_fields.score": 340.5},
        {"custom_fields.plan": "(none)", "count": 2},
        {"custom_fields.plan": "free", "count": 1, "sum:custom_fields.score": 5.0},
    ]
    by_month = admin("crm_summarize", entity="leads", group_by=["custom_fields.renewal:quarter"])
    assert [each["custom_fields.renewal:quarter"] for each in by_month["groups"]] == [
        "2026-Q1",
        "2026-Q4",
        "2027-Q1",
        "(none)",
    ]


def test_key_that_looks_like_an_operator_or_a_number(admin, make) -> None:
    from demo_crm.models import CustomFieldDefinition, Lead

    for key in ("size__gte", "2024"):
        make(CustomFieldDefinition, target_model="Lead", key=key, label=key, field_type="text")
        make(Lead, first_name=key, custom_fields={key: "x"})
        answer = admin("crm_search", entity="leads", filters={f"custom_fields.{key}": "x"})
        assert found(answer) == {key}


def test_data(admin, custom) -> None:
    lead = str(custom[0].pk)
    data = {"custom_fields.plan": "Gold plan", "custom_fields.score": "1,250", "rating": "HOT"}
    answer = admin("crm_update", entity="leads", id=lead, data=data)
    assert "error" not in answer, answer
    stored = admin("crm_get", entity="leads", id=lead)["record"]["custom_fields"]
    assert stored == {**custom[0].custom_fields, "plan": "gold", "score": 1250}
    made = admin(
        "crm_create",
        entity="leads",
        data={
            "first_name": "New",
            "custom_fields": {"nick": "N"},
            "custom_fields.renewal": "tomorrow",
            "custom_fields.vip": "true",
        },
    )
    kept = made["record"]["custom_fields"]
    assert (kept["nick"], kept["vip"]) == ("N", True)
    assert len(kept["renewal"]) == len("2026-01-31")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"region": "north"}, "No such field"),
        ({"plan": "gold"}, "custom_fields.plan"),
        ({"custom_fields.plan": "silver"}, "Choices: gold, free"),
        ({"custom_fields.nonsense": 1}, "No custom field 'nonsense'"),
        ({"custom_fields.vip": "perhaps"}, "true or false"),
        ({"custom_fields.renewal": "2026-02-31"}, "date"),
    ],
)
def test_data_that_is_not_understood(admin, custom, data, said) -> None:
    error = admin("crm_update", entity="leads", id=str(custom[0].pk), data=data)["error"]
    assert said in str(error["fields"])
