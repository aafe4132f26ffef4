from datetime import UTC, date, datetime
from types import SimpleNamespace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from demo_crm.models import Lead, Opportunity, Profile, Tag, User


@pytest.fixture
def deals(two_orgs, org_context):
    """Deals with 0, 1 and 4 assignees and tags, in two currencies; and one of the other org."""
    org = two_orgs.alpha
    people = [two_orgs.alpha_user, two_orgs.alpha_admin]
    for index in range(2):
        user = User.objects.create_user(f"extra{index}@example.com", "secret", name=f"X{index}")
        people.append(Profile.objects.create(user=user, org=org, role=Profile.Role.USER))
    with org_context(org):
        tags = [Tag.objects.create(org=org, name=f"Tag {each}") for each in range(4)]

        def deal(name, amount, currency, stage, count):
            made = Opportunity.objects.create(
                org=org, name=name, amount=amount, currency=currency, stage=stage
            )
            made.assigned_to.set(people[:count])
            made.tags.set(tags[:count])
            return made

        made = [
            deal("none", 100, "USD", "PROPOSAL", 0),
            deal("one", 20, "USD", "PROPOSAL", 1),
            deal("four", 3, "USD", "NEGOTIATION", 4),
            deal("euro", 7, "EUR", "PROPOSAL", 1),
        ]
    with org_context(two_orgs.beta):
        Opportunity.objects.create(
            org=two_orgs.beta, name="foreign", amount=9999, currency="USD", stage="PROPOSAL"
        )
    return SimpleNamespace(made=made, people=people, tags=tags)


def groups(result, key, *measures):
    """The groups as {label: value or values}."""
    found = {}
    for group in result["groups"]:
        label = group[key]["name"] if isinstance(group[key], dict) else group[key]
        values = tuple(group.get(each) for each in measures)
        found[(label, group["currency"]) if "currency" in group else label] = (
            values[0] if len(values) == 1 else values
        )
    return found


def test_count_without_groups(admin, deals):
    result = admin("crm_summarize", entity="opportunities")

    assert (result["groups"], result["total"]) == ([], {"count": 4})


def test_pipeline_by_stage_keeps_currencies_apart(admin, deals):
    result = admin(
        "crm_summarize",
        entity="opportunities",
        group_by=["stage"],
        measures=["count", "sum:amount"],
    )

    assert groups(result, "stage", "count", "sum:amount") == {
        ("PROPOSAL", "USD"): (2, "120.00"),
        ("PROPOSAL", "EUR"): (1, "7.00"),
        ("NEGOTIATION", "USD"): (1, "3.00"),
    }
    assert result["total"] == {
        "by_currency": [
            {"currency": "EUR", "count": 1, "sum:amount": "7.00"},
            {"currency": "USD", "count": 3, "sum:amount": "123.00"},
        ]
    }


@pytest.mark.parametrize("relation", ["assigned_to", "tags"])
def test_many_valued_group_counts_a_record_in_each_and_once_in_the_total(admin, deals, relation):
    result = admin(
        "crm_summarize",
        entity="opportunities",
        group_by=[relation],
        measures=["count", "sum:amount"],
        filters={"currency": "USD"},
    )

    counts = [group["count"] for group in result["groups"]]
    assert sorted(counts) == [1, 1, 1, 1, 2]
    assert result["total"] == {"currency": "USD", "count": 3, "sum:amount": "123.00"}
    none = [group for group in result["groups"] if group[relation] == "(none)"]
    assert none == [{relation: "(none)", "currency": "USD", "count": 1, "sum:amount": "100.00"}]
    assert any("counts in each of their groups" in note for note in result["notes"])


def test_filter_by_several_assignees_counts_a_record_once(admin, deals):
    people = [person.user.email for person in deals.people]

    result = admin(
        "crm_summarize", entity="opportunities", filters={"assigned_to": people, "currency": "USD"}
    )

    assert result["total"] == {"count": 2}


def test_user_sums_what_the_user_sees(user, deals):
    result = user(
        "crm_summarize", entity="opportunities", group_by=["stage"], measures=["sum:amount"]
    )

    assert groups(result, "stage", "sum:amount") == {
        ("PROPOSAL", "USD"): "20.00",
        ("NEGOTIATION", "USD"): "3.00",
        ("PROPOSAL", "EUR"): "7.00",
    }


def test_other_organisation_is_not_in_any_figure(stranger, deals):
    result = stranger(
        "crm_summarize", entity="opportunities", measures=["count", "sum:amount", "max:amount"]
    )

    assert result["total"] == {
        "currency": "USD",
        "count": 1,
        "sum:amount": "9999.00",
        "max:amount": "9999.00",
    }


def test_average_minimum_and_maximum(admin, deals):
    result = admin(
        "crm_summarize",
        entity="opportunities",
        measures=["avg:amount", "min:amount", "max:amount"],
        filters={"currency": "USD"},
    )

    assert result["total"] == {
        "currency": "USD",
        "avg:amount": "41.00",
        "min:amount": "3.00",
        "max:amount": "100.00",
    }


def test_two_groupings(admin, deals):
    result = admin("crm_summarize", entity="opportunities", group_by=["stage", "currency"])

    assert {(each["stage"], each["currency"]): each["count"] for each in result["groups"]} == {
        ("PROPOSAL", "USD"): 2,
        ("PROPOSAL", "EUR"): 1,
        ("NEGOTIATION", "USD"): 1,
    }


@pytest.fixture
def leads_over_new_year(two_orgs, org_context):
    # Alpha keeps its books in Asia/Kolkata: 19:00 UTC is already the next day there.
    moments = (
        datetime(2025, 12, 31, 18, 0, tzinfo=UTC),
        datetime(2025, 12, 31, 19, 0, tzinfo=UTC),
        datetime(2026, 2, 2, 12, 0, tzinfo=UTC),
    )
    with org_context(two_orgs.alpha):
        for moment in moments:
            lead = Lead.objects.create(org=two_orgs.alpha, last_name="L", close_date=moment.date())
            Lead.objects.filter(pk=lead.pk).update(created_at=moment)


@pytest.mark.parametrize(
    ("period", "expected"),
    [
        ("day", {"2025-12-31": 1, "2026-01-01": 1, "2026-02-02": 1}),
        ("week", {"2025-12-29": 2, "2026-02-02": 1}),
        ("month", {"2025-12": 1, "2026-01": 1, "2026-02": 1}),
        ("quarter", {"2025-Q4": 1, "2026-Q1": 2}),
        ("year", {"2025": 1, "2026": 2}),
    ],
)
def test_periods_are_those_of_the_organisations_time_zone(
    admin, leads_over_new_year, period, expected
):
    result = admin("crm_summarize", entity="leads", group_by=[f"created_at:{period}"])

    assert groups(result, f"created_at:{period}", "count") == expected


def test_period_of_a_date(admin, leads_over_new_year):
    result = admin("crm_summarize", entity="leads", group_by=["close_date:month"])

    assert groups(result, "close_date:month", "count") == {"2025-12": 2, "2026-02": 1}


def test_minimum_of_a_date(admin, leads_over_new_year):
    result = admin("crm_summarize", entity="leads", measures=["min:close_date", "max:close_date"])

    assert result["total"] == {"min:close_date": "2025-12-31", "max:close_date": "2026-02-02"}


def test_groups_are_bounded_and_the_total_is_of_all(admin, alpha_admin, org_context):
    org = alpha_admin.org
    with org_context(org):
        Lead.objects.bulk_create(
            Lead(org=org, last_name="L", company_name=f"Company {index}") for index in range(130)
        )

    result = admin("crm_summarize", entity="leads", group_by=["company_name"])

    assert len(result["groups"]) == 100
    assert result["total"] == {"count": 130}
    assert any("100 of 130 groups" in note for note in result["notes"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"group_by": ["password"]}, "can't be grouped by 'password'"),
        ({"group_by": ["created_by__password"]}, "can't be grouped by"),
        ({"group_by": ["org__api_key"]}, "can't be grouped by"),
        ({"group_by": ["amount"]}, "can't be grouped by 'amount'"),
        ({"group_by": ["stage:month"]}, "has no periods"),
        ({"group_by": ["created_at:decade"]}, "is not a period"),
        ({"group_by": ["stage", "currency", "account"]}, "group_by"),
        ({"measures": ["sum:name"]}, "no number or date 'name'"),
        ({"measures": ["sum:created_by__id"]}, "no number or date"),
        ({"measures": ["sum:closed_on"]}, "min and max only"),
        ({"measures": ["median:amount"]}, "is not a measure"),
        ({"measures": ["sum"]}, "is not a measure"),
        ({"filters": {"stage": "WON"}}, "can't be filtered like this"),
    ],
)
def test_refused(admin, deals, arguments, said):
    result = admin("crm_summarize", entity="opportunities", **arguments)

    assert said in result["error"]["message"]


def test_date_without_a_period_is_grouped_by_day(admin, alpha_admin, org_context):
    with org_context(alpha_admin.org):
        Lead.objects.create(org=alpha_admin.org, last_name="L", close_date=date.today())

    result = admin("crm_summarize", entity="leads", group_by=["close_date"])

    assert groups(result, "close_date:day", "count") == {date.today().isoformat(): 1}


def test_without_groups_only_the_totals_are_asked_for(admin, deals):
    with CaptureQueriesContext(connection) as captured:
        admin("crm_summarize", entity="opportunities")
    table = f'FROM "{Opportunity._meta.db_table}"'
    (asked,) = (each["sql"] for each in captured if table in each["sql"])
    assert "GROUP BY" not in asked
