"""What a list view counts beside its rows is asked of the database when the view reads it."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.db.models import Count, QuerySet
from django.test.utils import CaptureQueriesContext

from bottlecrm_mcp.gateway.in_process.hooks.unread_totals import (
    install,
    read_totals,
    totals_left_unread,
)
from demo_crm.entities.service.cases import CaseList
from demo_crm.models import Case, Lead

pytestmark = pytest.mark.usefixtures("alpha")


@pytest.fixture
def cases(alpha, org_context):
    with org_context(alpha.org):
        yield Case.objects.filter(org=alpha.org)


def test_everybody_else_counts_at_once(cases, django_assert_num_queries) -> None:
    with django_assert_num_queries(2):
        assert type(cases.count()) is int
        assert type(cases.aggregate(n=Count("pk"))) is dict


def test_unread_until_it_is_used(cases, django_assert_num_queries) -> None:
    expected = cases.count()
    with totals_left_unread(Case) as totals:
        with django_assert_num_queries(0):
            count, sums = cases.count(), cases.aggregate(n=Count("pk"))
        assert totals.were_left
        assert type(Lead.objects.count()) is int
        with django_assert_num_queries(1):
            assert count == expected
            assert (count + 1, 1 + count, count - 1) == (expected + 1, 1 + expected, expected - 1)
            assert count > 0
            assert [*range(count)] == [*range(expected)]
            assert int(count) == round(count / 1) == expected
            assert f"{count:d}" == f"{expected:d}"
        with django_assert_num_queries(1):
            assert sums["n"] == expected
            assert {**sums} == {"n": expected}
            assert json.dumps(dict(sums)) == json.dumps({"n": expected})
        read_totals()
        assert type(cases.count()) is int


def test_installed_once() -> None:
    before = QuerySet.count
    install()
    assert QuerySet.count is before


def counts_in(call: Callable[..., Any]) -> tuple[Any, int]:
    with CaptureQueriesContext(connection) as captured:
        answer = call("crm_search", entity="cases", limit=2)
    table = f'FROM "{Case._meta.db_table}"'
    return answer, sum("COUNT(" in each["sql"] and table in each["sql"] for each in captured)


def test_list_is_searched_without_its_totals(user) -> None:
    answer, counts = counts_in(user)
    assert answer["total"] > 2
    assert counts == 1


def with_totals(monkeypatch, judge: Callable[[Any], Any]) -> list[Any]:
    """The demo's list of cases as a view that does something with a total before it paginates."""
    envelope, seen = CaseList.envelope, []

    def judged(self: CaseList, records: Any) -> Any:
        seen.append(judge(records.count()))
        return envelope(self, records.none() if seen[-1] is False else records)

    monkeypatch.setattr(CaseList, "envelope", judged)
    return seen


def test_total_that_a_view_goes_by_is_the_true_one(user, monkeypatch) -> None:
    expected, _ = counts_in(user)
    seen = with_totals(monkeypatch, lambda total: total > 0)
    answer, counts = counts_in(user)
    assert (seen, answer, counts) == ([True], expected, 2)


def test_view_that_needs_plain_numbers_gets_them(user, monkeypatch) -> None:
    expected, _ = counts_in(user)

    def judge(total: Any) -> bool:
        if not isinstance(total, int):
            raise TypeError
        return True

    seen = with_totals(monkeypatch, judge)
    answer, _ = counts_in(user)
    assert (seen, answer) == ([True], expected)
