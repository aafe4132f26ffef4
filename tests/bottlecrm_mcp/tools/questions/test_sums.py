"""Sums: durations, shares, groups of is_open and of custom fields, the largest with the rest."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from demo_crm.access.row_security import org_context
from demo_crm.models import Account, Case, Invoice, Lead, Opportunity


@pytest.fixture
def deals(make) -> None:
    for account, amounts in (("A", (100, 300)), ("B", (50,)), ("C", (20, 30)), ("D", (7,))):
        owner = make(Account, name=account, industry="BANKING" if account < "C" else "LEGAL")
        for number, amount in enumerate(amounts):
            make(
                Opportunity,
                name=f"{account}{number}",
                account=owner,
                amount=amount,
                currency="EUR",
                stage="CLOSED_WON" if number else "PROPOSAL",
            )


def test_the_largest_and_the_others(admin, deals) -> None:
    answer = admin(
        "crm_summarize",
        entity="opportunities",
        group_by=["name"],
        measures=["sum:amount", "count", "avg:amount", "min:amount", "max:amount"],
        top=2,
    )
    first, second, others = answer["groups"]
    assert (first["name"], second["name"]) == ("A1", "A0")
    assert others == {
        "name": "others (4)",
        "currency": "EUR",
        "sum:amount": "107.00",
        "count": 4,
        "avg:amount": "26.75",
        "min:amount": "7.00",
        "max:amount": "50.00",
    }
    assert answer["total"]["sum:amount"] == "507.00"
    assert not any("kept apart" in note for note in answer.get("notes", ()))


def test_the_largest_of_each_currency(admin, deals, make) -> None:
    for number in range(3):
        make(Opportunity, name=f"U{number}", amount=number + 1, currency="USD", stage="PROPOSAL")
    answer = admin(
        "crm_summarize",
        entity="opportunities",
        group_by=["name"],
        measures=["sum:amount"],
        top=1,
    )
    shown = [(each["name"], each["currency"], each["sum:amount"]) for each in answer["groups"]]
    assert shown == [
        ("A1", "EUR", "300.00"),
        ("others (5)", "EUR", "207.00"),
        ("U2", "USD", "3.00"),
        ("others (2)", "USD", "3.00"),
    ]
    assert any("kept apart" in note for note in answer["notes"])


def test_average_without_its_parts(admin, deals) -> None:
    answer = admin(
        "crm_summarize",
        entity="opportunities",
        group_by=["account"],
        measures=["avg:amount", "share:stage=CLOSED_WON"],
        top=1,
    )
    first, others = answer["groups"]
    assert (first["account"]["name"], first["avg:amount"]) == ("A", "200.00")
    assert others == {
        "account": "others (3)",
        "currency": "EUR",
        "avg:amount": "26.75",
        "share:stage=CLOSED_WON": "0.2500",
    }
    assert set(answer["total"]) == {"currency", "avg:amount", "share:stage=CLOSED_WON"}


def test_fewer_groups_than_asked_for(admin, deals) -> None:
    answer = admin("crm_summarize", entity="opportunities", group_by=["stage"], top=5)
    assert answer["groups"] == [
        {"stage": "PROPOSAL", "count": 4},
        {"stage": "CLOSED_WON", "count": 2},
    ]
    error = admin("crm_summarize", entity="opportunities", top=5)["error"]
    assert error["code"] == "invalid_arguments"


def test_days_between(admin, make, alpha_admin) -> None:
    for days in (2, 4, 9):
        case = make(Case, name=f"C{days}", status="Closed", priority="Low")
        with org_context(alpha_admin.org):
            begun = datetime(2026, 3, 1, 12, tzinfo=UTC)
            Case.objects.filter(pk=case.pk).update(
                created_at=begun,
                closed_on=(begun + timedelta(days=days)).date(),
                resolved_at=begun + timedelta(days=days, hours=12),
            )
    make(Case, name="Open", status="New", priority="Low")
    answer = admin(
        "crm_summarize",
        entity="cases",
        measures=[
            "avg:days:created_at:closed_on",
            "max:days:created_at:closed_on",
            "avg:days:created_at:resolved_at",
            "count",
        ],
        group_by=["is_open"],
    )
    groups = {each["is_open"]: each for each in answer["groups"]}
    assert groups[False] == {
        "is_open": False,
        "avg:days:created_at:closed_on": "5.00",
        "max:days:created_at:closed_on": "9.00",
        "avg:days:created_at:resolved_at": "5.50",
        "count": 3,
    }
    assert groups[True] == {"is_open": True, "count": 1}


@pytest.mark.parametrize(
    "measure",
    [
        "avg:days:created_at",
        "avg:days:created_at:nonsense",
        "avg:days:created_at:name",
        "share:",
        "share:status",
        "share:status=nonsense",
        "share:nonsense=1",
        "median:amount",
    ],
)
def test_no_measure(admin, measure) -> None:
    assert admin("crm_summarize", entity="cases", measures=[measure])["error"]


def test_shares(admin, make) -> None:
    for status in ("assigned", "closed", "closed", "recycled"):
        make(Lead, first_name=status, status=status, source="call")
    make(Lead, first_name="x", status="assigned", source="email")
    answer = admin(
        "crm_summarize",
        entity="leads",
        group_by=["source"],
        measures=["share:status=closed", "share:is_open=true"],
    )
    assert answer["groups"] == [
        {"source": "call", "share:status=closed": "0.5000", "share:is_open=true": "0.2500"},
        {"source": "email", "share:status=closed": "0.0000", "share:is_open=true": "1.0000"},
    ]
    assert answer["total"]["share:status=closed"] == "0.4000"


def test_share_of_what_is_never_listed_is_refused(admin, make) -> None:
    error = admin("crm_summarize", entity="leads", measures=["share:status=converted"])["error"]
    assert "converted leads" in str(error)


def test_groups_of_is_open(admin, make, alpha: Any) -> None:
    answer = admin("crm_summarize", entity="invoices", group_by=["is_open"])
    opened = admin("crm_search", entity="invoices", filters={"is_open": True})["total"]
    groups = {each["is_open"]: each["count"] for each in answer["groups"]}
    with org_context(alpha.org):
        assert groups == {True: opened, False: Invoice.objects.count() - opened}


def test_group_through_a_relation_with_money(admin, deals) -> None:
    answer = admin(
        "crm_summarize",
        entity="opportunities",
        group_by=["account.industry"],
        measures=["sum:amount"],
    )
    assert answer["groups"] == [
        {"account.industry": "BANKING", "currency": "EUR", "sum:amount": "450.00"},
        {"account.industry": "LEGAL", "currency": "EUR", "sum:amount": "57.00"},
    ]
