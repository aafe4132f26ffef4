"""What a kept statement reads is what Django reads, and no value of a condition stays in it."""

from functools import partial
from typing import Any

import pytest
from django.db.models import F

from bottlecrm_mcp.gateway.in_process import statements
from bottlecrm_mcp.gateway.in_process.access_rule import visible_rows
from bottlecrm_mcp.gateway.in_process.statements import Read
from demo_crm.models import Lead
from tests.bottlecrm_mcp.gateway.in_process.test_access_rule import LISTS, PLAIN


@pytest.fixture(autouse=True)
def kept(monkeypatch: pytest.MonkeyPatch) -> dict[Any, Any]:
    kept: dict[Any, Any] = {}
    monkeypatch.setattr(statements, "_kept", kept)
    return kept


@pytest.fixture
def leads(alpha, org_context):
    with org_context(alpha.org):
        yield Lead.objects.filter(org=alpha.org)


def page(rows):
    return rows.order_by(F("city").desc(nulls_last=True), "pk")[1:4].values(
        "pk", "city", "created_at", "created_by__email"
    )


@pytest.mark.parametrize("kind", LISTS)
def test_same_rows_as_by_django(alpha, leads, kind, kept) -> None:
    for status in ("assigned", "closed", "nothing"):
        listed = LISTS[kind](leads.filter(status=status), alpha.user)
        rows = visible_rows(Lead, [listed])
        read = Read(rows)
        assert read.values("a page", partial(page, rows)) == list(page(rows))
        assert read.count(100) == rows.count()
        assert read.count(2) == min(2, rows.count())
    if kind in PLAIN and kind not in ("computed", "filtered by the computed", "none"):
        assert len(kept) == 1


@pytest.mark.parametrize("columns", [("pk", "city"), ("city", "pk", "status")])
def test_each_form_has_its_own(leads, columns, kept) -> None:
    for rows in (leads, leads.exclude(city=""), leads.filter(city="", status="closed")):
        shown = partial(rows.order_by("pk").values, *columns)
        assert Read(rows).values(columns, shown) == list(shown())
    assert len(kept) == 3


def test_no_value_is_kept(alpha, leads, kept) -> None:
    rows = leads.filter(city__in=["Pune", "Delhi"], created_by=alpha.user.user)
    Read(rows).values("a page", partial(page, rows))
    (statement,) = kept.values()
    remembered = repr([*kept, *vars(statement).values()]) + repr(statement._empty.where.children)
    values = ("Pune", "Delhi", alpha.org.pk, alpha.user.user.pk)
    assert not [each for each in values if str(each) in remembered]


def test_bounded(leads, kept, monkeypatch) -> None:
    monkeypatch.setattr(statements, "MOST_KEPT", 2)
    for number in range(5):
        Read(leads).values(number, partial(page, leads))
        assert len(kept) <= 2
