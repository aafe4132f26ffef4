"""What a captured list lets through is the same rows, by whichever form of SQL."""

import pytest
from django.db import connection
from django.db.models import Count, F, OuterRef, Q, Subquery, Window
from django.db.models.functions import RowNumber, Upper
from django.test.utils import CaptureQueriesContext

from bottlecrm_mcp.gateway.in_process.access_rule import visible_rows
from demo_crm.models import Contact, Lead, Profile, Tag


def newest_contact() -> Subquery:
    return Subquery(Contact.objects.filter(org=OuterRef("org")).values("email")[:1])


def tags(leads) -> list[Tag]:
    return list(Tag.objects.order_by("name"))


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
    "with a count of what is shown": lambda leads, user: leads.annotate(tagged=Count("tags")),
    "with a name of what is shown": lambda leads, user: leads.annotate(tag=F("tags__name")),
    "values": lambda leads, user: leads.values("city"),
    "some columns": lambda leads, user: leads.only("city"),
    "of a subquery": lambda leads, user: leads.filter(
        pk__in=Lead.objects.filter(assigned_to=user).values("pk")
    ),
    "none": lambda leads, user: leads.none(),
}
# Whose conditions on what is joined can be asked each by itself.
JOINED = {
    "mine": lambda leads, user: leads.filter(
        Q(created_by=user.user) | Q(assigned_to=user)
    ).distinct(),
    "mine, by ids": lambda leads, user: leads.filter(
        Q(assigned_to__in=[user]) | Q(created_by=user.user)
    ),
    "mine, by a queryset": lambda leads, user: leads.filter(
        Q(assigned_to__in=Profile.objects.filter(user=user.user)) | Q(created_by=user.user)
    ),
    "mine or tagged": lambda leads, user: leads.filter(
        Q(assigned_to=user) | Q(tags__in=Tag.objects.all())
    ),
    "mine and tagged": lambda leads, user: leads.filter(
        assigned_to=user, tags__in=Tag.objects.all()
    ),
    "with both tags": lambda leads, user: leads.filter(tags=tags(leads)[0]).filter(
        tags=tags(leads)[1]
    ),
    "with either tag": lambda leads, user: leads.filter(
        Q(tags=tags(leads)[0]) | Q(tags=tags(leads)[1])
    ),
    "tagged, repeated": lambda leads, user: leads.filter(tags__isnull=False),
    "tagged but not so": lambda leads, user: leads.filter(tags__isnull=False).exclude(
        tags=tags(leads)[-1]
    ),
    "of a creator": lambda leads, user: leads.filter(created_by__email=user.user.email),
    "computed, mine": lambda leads, user: leads.annotate(shout=Upper("city")).filter(
        Q(assigned_to=user) | Q(shout__contains="ODD")
    ),
}
# Of which it takes the joins to tell.
ENTANGLED = {
    "with one tag that is both": lambda leads, user: leads.filter(
        tags=tags(leads)[0], tags__in=tags(leads)[1:]
    ),
    "mine or untagged": lambda leads, user: leads.filter(
        Q(assigned_to=user) | Q(tags__isnull=True)
    ),
    "of a tag's name": lambda leads, user: leads.filter(tags__name__contains="tag 1"),
    "of a name in capitals": lambda leads, user: leads.filter(
        created_by__email__iexact=user.user.email
    ),
    "with SQL of its own": lambda leads, user: leads.filter(tags__isnull=False).extra(
        where=["tag_id IS NOT NULL"]
    ),
    "counted": lambda leads, user: leads.annotate(tagged=Count("tags")).filter(tagged__gt=1),
    "of a status, counted": lambda leads, user: leads.values("pk", "status").annotate(
        tagged=Count("tags")
    ),
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
LISTS = {**PLAIN, **JOINED, **ENTANGLED, **COMPARED}


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


@pytest.mark.parametrize("kind", JOINED)
def test_what_is_joined_is_asked_of_each_row(alpha, leads, kind) -> None:
    query = visible_rows(Lead, [JOINED[kind](leads, alpha.user)]).query
    assert "EXISTS" in str(query)
    assert " JOIN " not in str(query)
    assert "DISTINCT" not in str(query)


@pytest.mark.parametrize("kind", ENTANGLED)
def test_what_else_joins_stays_a_subquery_with_the_ids_inside(alpha, leads, kind) -> None:
    asked = alpha.leads[0].pk
    rows = visible_rows(Lead, [ENTANGLED[kind](leads, alpha.user)], [asked])
    # Inside and, where rows may repeat, outside.
    assert str(rows.query).count(str(asked)) == 2


@pytest.mark.parametrize("kind", LISTS)
def test_rows_within_another_query(alpha, leads, kind) -> None:
    """As a filter on another entity's records, where Django renames the tables."""
    listed = LISTS[kind](leads, alpha.user)
    rows = visible_rows(Lead, [listed]).filter(assigned_to__isnull=False)
    inside = Lead.objects.filter(pk__in=rows.values("pk")).filter(tags__in=Tag.objects.all())
    expected = listed.model.objects.filter(pk__in=ids_of(listed))
    expected = expected.filter(assigned_to__isnull=False).filter(tags__isnull=False)
    assert set(ids_of(inside)) == set(ids_of(expected))
