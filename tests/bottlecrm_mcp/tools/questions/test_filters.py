"""Filters: operators, ids, alternatives, ranges of the calendar, choices, amounts."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from bottlecrm_mcp.tools.arguments.dates import Clock
from demo_crm.models import Invoice, Opportunity, Task
from tests.bottlecrm_mcp.tools.questions.conftest import found, named

STAGES = ("PROSPECTING", "PROPOSAL", "CLOSED_WON", "CLOSED_LOST")


@pytest.fixture
def deals(make) -> Any:
    """Of 100, 200, 300 and 125000, closing at the end of four quarters; one has no amount."""
    days = ("2026-03-31", "2026-09-30", "2026-11-15", "2026-12-31")
    made = [
        make(Opportunity, name=f"D{number}", stage=stage, amount=amount, closed_on=day)
        for number, (stage, amount, day) in enumerate(
            zip(STAGES, (100, 200, 300, 125_000), days, strict=True)
        )
    ]
    return [*made, make(Opportunity, name="D4", stage="PROPOSAL")]


FILTERS = [
    ({"amount__gt": 200}, {"D2", "D3"}),
    ({"amount__lt": 200}, {"D0"}),
    ({"amount__not": 200}, {"D0", "D2", "D3", "D4"}),
    ({"amount": [100, 200]}, {"D0", "D1"}),
    ({"amount": "125,000"}, {"D3"}),
    ({"amount__gte": "1,000.00"}, {"D3"}),
    ({"stage__not": "proposal"}, {"D0", "D2", "D3"}),
    ({"stage__not": ["PROPOSAL", "closed won"]}, {"D0", "D3"}),
    ({"name__not": "d0"}, {"D1", "D2", "D3", "D4"}),
    ({"closed_on": "2026-11"}, {"D2"}),
    ({"closed_on": "2026-Q4"}, {"D2", "D3"}),
    ({"closed_on": "2026 q4"}, None),
    ({"closed_on": "2026"}, {"D0", "D1", "D2", "D3"}),
    ({"closed_on__gt": "2026-Q3"}, {"D2", "D3"}),
    ({"closed_on__lt": "2026-Q3"}, {"D0"}),
    ({"closed_on__not": "2026-Q4"}, {"D0", "D1", "D4"}),
    ({"any": [{"stage": "PROPOSAL"}, {"amount__gt": 1000}]}, {"D1", "D3", "D4"}),
    ({"any": [{"stage": "PROPOSAL", "amount__is_empty": True}]}, {"D4"}),
    ({"any": [{"name": "D0"}, {"name": "D1"}], "amount__gt": 100}, {"D1"}),
    ({"any": [{"is_open": True}, {"amount": 300}]}, {"D0", "D1", "D2", "D4"}),
    ({"is_open": "false"}, {"D2", "D3"}),
]


@pytest.mark.parametrize(("filters", "wanted"), FILTERS, ids=named)
def test_right_records(admin, deals, filters, wanted) -> None:
    answer = admin("crm_search", entity="opportunities", filters=filters)
    if wanted is None:
        assert "closed_on" in answer["error"]["fields"]
        return
    assert found(answer, "name") == wanted
    assert admin("crm_summarize", entity="opportunities", filters=filters)["total"] == {
        "count": len(wanted)
    }


def test_ids(admin, deals) -> None:
    ids = [str(each.pk) for each in deals[:3]]
    answer = admin("crm_search", entity="opportunities", filters={"id": ids})
    assert found(answer, "name") == {"D0", "D1", "D2"}
    one = admin("crm_search", entity="opportunities", filters={"id": ids[0]})
    assert found(one, "name") == {"D0"}
    others = admin("crm_search", entity="opportunities", filters={"id__not": ids})
    assert found(others, "name") == {"D3", "D4"}
    for wrong in (["D0"], [], ids * 20):
        error = admin("crm_search", entity="opportunities", filters={"id": wrong})["error"]
        assert "id" in error["fields"]


def test_id_of_what_the_person_can_t_see(user, alpha) -> None:
    ids = [str(each.pk) for each in alpha.opportunities]
    answer = user("crm_search", entity="opportunities", filters={"id": ids}, limit=50)
    assert 0 < answer["total"] < len(ids)
    assert all("hidden" not in str(row) for row in answer["records"])


@pytest.mark.parametrize(
    ("words", "first", "last"),
    [
        ("next_quarter", "2027-01-01", "2027-03-31"),
        ("Last Week", "2026-11-16", "2026-11-22"),
        ("next year", "2027-01-01", "2027-12-31"),
        ("next monday", "2026-11-30", "2026-11-30"),
        ("last_friday", "2026-11-20", "2026-11-20"),
        ("2028-02", "2028-02-01", "2028-02-29"),
        ("2026-q1", "2026-01-01", "2026-03-31"),
    ],
)
def test_ranges(words: str, first: str, last: str) -> None:
    clock = Clock("UTC", datetime(2026, 11, 27, 12, tzinfo=UTC))
    day = clock.day(words)
    meant = (day, day) if day else clock.range(words)
    assert meant == (date.fromisoformat(first), date.fromisoformat(last))


def test_which_friday_is_told(admin, monkeypatch) -> None:
    """In what is created, changed and searched: said on that day it may have meant another."""
    monkeypatch.setattr(Clock, "today", property(lambda clock: date(2026, 11, 27)))
    data = {"title": "T", "status": "New", "priority": "Low", "due_date": "friday"}
    made = admin("crm_create", entity="tasks", data=data)
    assert made["record"]["due_date"] == "2026-11-27"
    doubt = "Friday is taken as today, 2026-11-27; next_friday is 2026-12-04."
    assert made["warnings"] == [f"due_date: {doubt}"]
    one = {"entity": "tasks", "id": made["id"]}
    moved = admin("crm_update", **one, data={"due_date": "end of month"})
    assert moved["changed"]["due_date"]["after"] == "2026-11-30"
    assert "warnings" not in moved
    back = admin("crm_update", **one, data={"due_date": "Friday"})
    assert back["changed"]["due_date"]["after"] == "2026-11-27"
    assert back["warnings"] == [f"due_date: {doubt}"]
    found = admin("crm_search", entity="tasks", filters={"due_date": "friday", "title": "T"})
    assert [each["id"] for each in found["records"]] == [made["id"]]
    assert found["filters"]["due_date__lte"] == "2026-11-27"
    assert doubt in found["notes"]


@pytest.mark.parametrize("words", ["2026-13", "2026-Q5", "0000-01", "next_someday", "q4"])
def test_no_range(admin, words: str) -> None:
    error = admin("crm_search", entity="tasks", filters={"due_date": words})["error"]
    assert "due_date" in error["fields"]


def test_range_is_no_day_to_write(admin) -> None:
    data = {"title": "T", "status": "New", "priority": "Low", "due_date": "2026-11"}
    assert "due_date" in admin("crm_create", entity="tasks", data=data)["error"]["fields"]


def test_overdue_takes_no_operator(admin) -> None:
    for name in ("due_date__gte", "due_date__lt", "due_date__not"):
        error = admin("crm_search", entity="tasks", filters={name: "overdue"})["error"]
        assert name in error["fields"]


def test_weekday_to_write(admin, make) -> None:
    data = {"title": "T", "status": "New", "priority": "Low", "due_date": "next monday"}
    record = admin("crm_create", entity="tasks", data=data)["record"]
    assert date.fromisoformat(record["due_date"]).weekday() == 0


@pytest.mark.parametrize(
    ("entity", "filters", "said", "not_said"),
    [
        ("opportunities", {"stage": "open"}, "PROSPECTING, QUALIFICATION", "Did you mean"),
        ("opportunities", {"stage": "open"}, "is_open", "Did you mean"),
        ("invoices", {"status": "unpaid"}, "Choices: Draft, Sent", "Did you mean"),
        ("invoices", {"is_overdue": True}, '{"due_date": "overdue"}', "Did you mean"),
        ("solutions", {"case_count": 1}, "crm_get", "Did you mean"),
        ("cases", {"sla": "breached"}, "crm_get has it, with include: ['sla']", "Valid"),
        ("leads", {"country": "Germany"}, "two-letter country code", "Did you mean"),
        ("accounts", {"country__not": ["DE", "France"]}, "two-letter country code", "Did you mean"),
    ],
)
def test_choices_are_listed_rather_than_guessed(admin, entity, filters, said, not_said) -> None:
    error = admin("crm_search", entity=entity, filters=filters)["error"]
    assert said in str(error["fields"])
    assert not_said not in str(error["fields"])


def test_choice_in_another_spelling(admin, make) -> None:
    make(Task, title="T", status="In Progress", priority="Low")
    for spelled in ("in_progress", "IN PROGRESS", "in-progress"):
        answer = admin("crm_search", entity="tasks", filters={"status": spelled})
        assert found(answer, "title") == {"T"}


@pytest.mark.parametrize(
    "filters",
    [
        {"any": []},
        {"any": {}},
        {"any": [{}]},
        {"any": [{"any": [{"name": "x"}]}]},
        {"any": [{"bogus": 1}]},
        {"any": [{"name": "x"}] * 11},
        {"amount__between": 1},
        {"is_active__gt": True},
        {"name__gte": "A"},
        {"amount": "1,5"},
        {"amount": "12,34,56"},
        {"amount": "12.500,00"},
        {"amount": "₹12,500"},
    ],
    ids=named,
)
def test_what_is_not_understood_is_refused(admin, filters) -> None:
    assert admin("crm_search", entity="opportunities", filters=filters)["error"]["fields"]


def test_any_in_what_was_understood(admin, deals) -> None:
    filters = {"any": [{"closed_on": "2026-11"}, {"name": "D0"}]}
    answer = admin("crm_search", entity="opportunities", filters=filters)
    assert answer["filters"]["any"] == [
        {"closed_on__gte": "2026-11-01", "closed_on__lte": "2026-11-30"},
        {"name": "D0"},
    ]


def test_amount_with_separators_to_write(admin, make) -> None:
    record = admin(
        "crm_create", entity="opportunities", data={"name": "Big", "amount": "125,000.50"}
    )["record"]
    assert record["amount"] == "125000.50"


def test_invoice_by_amount_due(admin, alpha) -> None:
    total = admin("crm_search", entity="invoices", filters={"amount_due__gt": 3})["total"]
    from demo_crm.access.row_security import org_context

    with org_context(alpha.org):
        assert total == Invoice.objects.filter(amount_due__gt=3).count()
