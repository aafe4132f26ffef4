"""What holds for any search and any name, on a few dozen records."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from bottlecrm_mcp.conf import mcp_settings
from bottlecrm_mcp.gateway.in_process.gateway import InProcessGateway
from bottlecrm_mcp.hosted.authentication import authenticate
from bottlecrm_mcp.hosted.execution import seal
from bottlecrm_mcp.tools.arguments.references import Reference, References
from bottlecrm_mcp.tools.crm import Crm
from bottlecrm_mcp.tools.errors import ToolError
from bottlecrm_mcp.tools.registry import Registry
from bottlecrm_mcp.tools.searches.one_entity import search_entity
from demo_crm.access.row_security import org_context
from demo_crm.models import Account

# One set of records for all examples of a test.
few = settings(
    max_examples=20,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
# Leads and accounts come in two sections, tags and people whole.
SEARCHED = st.sampled_from(["leads", "accounts", "cases", "tasks", "invoices", "tags", "people"])
SORTS = {
    "leads": ["", "last_name", "-opportunity_amount", "status,-created_at"],
    "accounts": ["", "name", "-annual_revenue", "industry"],
    "cases": ["", "priority", "-created_at", "status,name"],
    "tasks": ["", "due_date", "-title", "priority"],
    "invoices": ["", "total_amount", "-due_date", "status"],
    "tags": ["", "name", "-slug", "color,-name"],
    "people": ["", "name", "-email", "role,name"],
}
FILTERS: dict[str, list[dict[str, Any]]] = {
    "leads": [
        {"status": ["assigned", "in process"]},
        {"status": "closed"},
        {"rating": "HOT"},
        {"assigned_to": "me"},
        {"close_date__gte": "today"},
        {"title__contains": "odd"},
        {"tags__is_empty": True},
        {"opportunity_amount__lte": 5},
    ],
    "accounts": [
        {"name__contains": "even"},
        {"is_active": False},
        {"assigned_to__is_empty": True},
        {"annual_revenue__gte": 4},
        {"created_at": "last_7_days"},
    ],
    "cases": [
        {"status": ["New", "Closed"]},
        {"priority": "Urgent"},
        {"closed_on__is_empty": False},
        {"assigned_to": "me"},
        {"description__contains": "odd"},
    ],
    "tasks": [
        {"due_date": "overdue"},
        {"status": "New"},
        {"account__is_empty": True},
        {"assigned_to": "me"},
    ],
    "invoices": [
        {"status": ["Sent", "Paid"]},
        {"due_date__gte": "today"},
        {"currency": "USD"},
        {"invoice_title__contains": "even"},
    ],
    "tags": [{"name__contains": "tag"}, {"color": "blue"}, {"description__is_empty": True}],
    "people": [{"role": "USER"}, {"name__contains": "colleague"}, {"phone__is_empty": True}],
}


@pytest.fixture
def crm(alpha: SimpleNamespace, token_for: Callable[..., str]) -> Crm:
    secret = token_for(alpha.admin)
    caller = authenticate(secret)
    catalogue = mcp_settings().catalogue
    return Crm(caller, catalogue, InProcessGateway(catalogue, caller, secret), seal())


def found(crm: Crm, entity: str, **asked: Any) -> list[str]:
    """The ids of a search, in order."""
    result = search_entity(crm, entity=entity, **{"limit": 50, **asked})
    assert result["returned"] == len(result["records"])
    return [record["id"] for record in result["records"]]


@st.composite
def searches(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    entity = draw(SEARCHED)
    filters = draw(st.sampled_from([{}, *FILTERS[entity]]))
    return entity, {"sort": draw(st.sampled_from(SORTS[entity])), "filters": filters}


@few
@given(search=searches(), limit=st.integers(1, 9))
def test_pages_are_complete_and_free_of_duplicates(crm: Crm, search: Any, limit: int) -> None:
    entity, asked = search
    walked: list[str] = []
    offset: int | None = 0
    while offset is not None:
        page = search_entity(crm, entity=entity, **asked, limit=limit, offset=offset)
        walked += [record["id"] for record in page["records"]]
        offset = page.get("next_offset")
    assert walked == found(crm, entity, **asked)
    assert len(walked) == len(set(walked)) == page["total"]


@few
@given(search=searches(), limit=st.integers(1, 50), offset=st.integers(0, 60))
def test_any_limit_and_offset(crm: Crm, search: Any, limit: int, offset: int) -> None:
    entity, asked = search
    everything = found(crm, entity, **asked)
    page = search_entity(crm, entity=entity, **asked, limit=limit, offset=offset)
    expected = everything[offset : offset + limit]
    assert [record["id"] for record in page["records"]] == expected
    assert page["total"] == len(everything)
    more = offset + len(expected) < len(everything) and bool(expected)
    assert page.get("next_offset") == (offset + len(expected) if more else None)
    if not expected:
        assert page["notes"]


@st.composite
def two_filters(draw: st.DrawFn) -> tuple[str, dict[str, Any], dict[str, Any]]:
    entity = draw(SEARCHED)
    pairs = st.lists(st.sampled_from(FILTERS[entity]), min_size=2, max_size=2, unique_by=str)
    one, other = draw(pairs)
    assume(one.keys() != other.keys())
    return entity, one, other


@few
@given(two_filters())
def test_filters_together_find_what_each_finds(crm: Crm, drawn: Any) -> None:
    entity, one, other = drawn
    both = found(crm, entity, filters={**one, **other})
    assert set(both) == set(found(crm, entity, filters=one)) & set(
        found(crm, entity, filters=other)
    )


LISTS = {
    ("leads", "status"): ["assigned", "in process", "recycled", "closed"],
    ("cases", "priority"): ["Low", "Normal", "High", "Urgent"],
    ("tasks", "status"): ["New", "In Progress", "Completed"],
    ("invoices", "status"): ["Draft", "Sent", "Viewed", "Paid", "Overdue"],
}


@few
@given(st.data())
def test_list_of_values_finds_what_each_value_finds(crm: Crm, data: st.DataObject) -> None:
    entity, field = data.draw(st.sampled_from(sorted(LISTS)))
    values = data.draw(st.lists(st.sampled_from(LISTS[entity, field]), min_size=1, unique=True))
    each = [set(found(crm, entity, filters={field: value})) for value in values]
    assert set(found(crm, entity, filters={field: values})) == set().union(*each)
    assert sum(map(len, each)) == len(set().union(*each))


EMPTIABLE = [
    ("leads", "tags"),
    ("leads", "close_date"),
    ("accounts", "assigned_to"),
    ("cases", "parent"),
    ("tasks", "due_date"),
    ("invoices", "client_name"),
]


@few
@given(st.sampled_from(EMPTIABLE))
def test_empty_and_not_empty_are_everything(crm: Crm, drawn: tuple[str, str]) -> None:
    entity, field = drawn
    empty = found(crm, entity, filters={f"{field}__is_empty": True})
    filled = found(crm, entity, filters={f"{field}__is_empty": False})
    assert sorted(empty + filled) == sorted(found(crm, entity))


WORDS = ["Acme", "Corp", "Corporation", "Globex", "North", "Northwind", "South"]
NAMES = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3, unique=True).map(" ".join)


def resolved(crm: Crm, target: str, name: str) -> Reference | ToolError:
    try:
        return References(crm).resolve(target, name)
    except ToolError as error:
        return error


def begins(asked: str, name: str) -> bool:
    """Whether each word that was asked for begins a word of the name."""
    words = name.lower().split()
    return all(any(word.startswith(part) for word in words) for part in asked.lower().split())


@few
@given(names=st.lists(NAMES, min_size=1, max_size=12, unique=True), asked=NAMES, data=st.data())
def test_name_is_resolved_to_the_one_that_it_means(
    crm: Crm, alpha: Any, names: list[str], asked: str, data: st.DataObject
) -> None:
    asked = data.draw(st.sampled_from([asked, asked.lower(), asked[: max(3, len(asked) - 2)]]))
    owner = {"org": alpha.org, "created_by": alpha.admin.user}
    with org_context(alpha.org):
        made = {name: str(Account.objects.create(name=name, **owner).pk) for name in names}
    told = resolved(crm, "accounts", asked)
    with org_context(alpha.org):
        Account.objects.filter(pk__in=made.values()).delete()
    if isinstance(told, ToolError):
        assert told.code in ("ambiguous", "not_found")
        # The one of exactly this name would have been meant.
        assert asked not in names
        offered = {each["name"] for each in told.candidates}
        assert offered <= set(names)
        assert len(offered) <= 5
        if told.code == "not_found":
            assert not any(asked.lower() in name.lower() for name in names)
    else:
        assert told.id == made[told.name]
        is_called_so = told.name.lower() == asked.lower()
        assert is_called_so or begins(asked, told.name)
        assert is_called_so or asked.lower() not in (name.lower() for name in names)


@few
@given(st.text(min_size=1, max_size=40), st.sampled_from(["account", "assigned_to", "tags"]))
def test_any_text_as_a_name_is_answered(crm: Crm, text: str, field: str) -> None:
    search = Registry(crm.catalogue).get("crm_search")
    assert search is not None
    try:
        answer = search.call(crm, {"entity": "tasks", "filters": {field: text}})
    except ToolError as error:
        answer = error.as_dict()
    assert answer
