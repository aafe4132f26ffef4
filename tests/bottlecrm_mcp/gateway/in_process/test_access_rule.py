"""What a captured list lets through is the same rows, by whichever form of SQL."""

import pytest
from django.db import connection
from django.db.models import Count, F, OuterRef, Q, Subquery, Window
from django.db.models.functions import RowNumber, Upper
from django.test.utils import CaptureQueriesContext

from bottlecrm_mcp.gateway.in_process.access_rule import joined_rows, visible_rows
from demo_crm.models import Contact, Lead


def newest_contact() -> Subquery:
    return Subquery(Contact.objects.filter(org=OuterRef("org")).values("email")[:1])


# Each takes the leads of an organisation and gives a list of them as a view may make it.
PLAIN = {
    "all": lambda leads, user: leads,
    "distinct and ordered": lambda leads, user: leads.order_by("-id").distinct(),
    "excluded": lambda leads, user: leads.exclude(status="closed"),
    "with what is shown": lambda leads, user: leads.select_related("created_by").prefetch_related(
        "tags"
    ),
    "computed": lambda leads, user: leads.annotate(mail=newest_contact(), shout=Upper("city")),
    "filtered by the computed": lambda leads, user: leads.annotate(shout=Upper("city")).filter(
        shout__contains="ODD"
    ),
    "values": lambda leads, user: leads.values("city"),
    "some columns": lambda leads, user: leads.only("city"),
    "of a subquery": lambda leads, user: leads.filter(
        pk__in=Lead.objects.filter(assigned_to=user).values("pk")
    ),
    "none": lambda leads, user: leads.none(),
}
JOINED = {
    "mine": lambda leads, user: leads.filter(
        Q(created_by=user.user) | Q(assigned_to=user)
    ).distinct(),
    "mine, repeated": lambda leads, user: leads.filter(tags__isnull=False),
    "of a creator": lambda leads, user: leads.filter(created_by__email=user.user.email),
    "counted": lambda leads, user: leads.annotate(tagged=Count("tags")).filter(tagged__gt=1),
}
COMPARED = {
    "numbered": lambda leads, user: leads.annotate(
        place=Window(RowNumber(), order_by=F("created_at").desc())
    ).filter(place__lte=5),
    "the first five": lambda leads, user: leads.order_by("status", "id")[:5],
    "a union": lambda leads, user: leads.filter(status="closed").union(
        leads.filter(city__contains="odd")
    ),
    "one of each": lambda leads, user: leads.order_by("status", "id").distinct("status"),
}
LISTS = {**PLAIN, **JOINED, **COMPARED}


@pytest.fixture
def leads(alpha, org_context):
    with org_context(alpha.org):
        yield Lead.objects.filter(org=alpha.org)


def ids_of(rows) -> list[str]:
    return [str(each) for each in rows.values_list("pk", flat=True)]


@pytest.mark.parametrize("kind", LISTS)
def test_rows_are_those_of_the_list(alpha, leads, kind) -> None:
    listed = LISTS[kind](leads, alpha.user)
    rows = visible_rows(Lead, [listed])
    found = [str(each["pk"]) for each in rows.values("pk", "created_by__email")]
    assert set(found) == set(ids_of(listed))
    assert len(found) == len(set(found)) == rows.count() == rows.aggregate(n=Count("pk"))["n"]


@pytest.mark.parametrize("kind", LISTS)
def test_two_lists_are_either(alpha, leads, kind) -> None:
    halves = [
        LISTS[kind](half, alpha.user)
        for half in (leads.exclude(status="closed"), leads.filter(status="closed"))
    ]
    found = ids_of(visible_rows(Lead, halves))
    assert len(found) == len(set(found))
    assert set(found) == {each for half in halves for each in ids_of(half)}
    joined = joined_rows(Lead, halves)
    assert joined is None or set(ids_of(joined)) == set(found)


@pytest.mark.parametrize("kind", LISTS)
def test_of_the_ids_alone(alpha, leads, kind) -> None:
    listed = LISTS[kind](leads, alpha.user)
    for asked in ([str(each.pk) for each in alpha.leads[5:]], [str(alpha.leads[7].pk)], []):
        found = ids_of(visible_rows(Lead, [listed], asked))
        assert sorted(found) == sorted(set(ids_of(listed)) & set(asked))


@pytest.mark.parametrize("kind", PLAIN)
def test_what_joins_nothing_is_no_subquery(alpha, leads, kind) -> None:
    with CaptureQueriesContext(connection) as captured:
        ids_of(visible_rows(Lead, [PLAIN[kind](leads, alpha.user)]))
    asked = [each["sql"] for each in captured]
    assert any("IN (SELECT" in each for each in asked) == (kind == "of a subquery")


@pytest.mark.parametrize("kind", LISTS)
def test_what_only_joins_is_asked_of_its_joins(alpha, leads, kind) -> None:
    listed = LISTS[kind](leads, alpha.user)
    joined = joined_rows(Lead, [listed])
    assert (joined is not None) == (kind in JOINED and kind != "counted")
    if joined is not None:
        assert set(ids_of(joined)) == set(ids_of(listed))
        assert "IN (SELECT" not in str(joined.query)


@pytest.mark.parametrize("kind", JOINED)
def test_what_joins_stays_a_subquery_with_the_ids_inside(alpha, leads, kind) -> None:
    asked = alpha.leads[0].pk
    rows = visible_rows(Lead, [JOINED[kind](leads, alpha.user)], [asked])
    # Inside and, where rows may repeat, outside.
    assert str(rows.query).count(str(asked)) == 2
