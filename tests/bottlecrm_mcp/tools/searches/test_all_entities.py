"""crm_search over all entities."""

from typing import Any

import pytest

from demo_crm.access.row_security import org_context
from demo_crm.models import Account, Contact, Lead
from tests.bottlecrm_mcp.population import NAMES


def test_matches_of_every_kind(alpha, beta, user) -> None:
    found = user("crm_search", entity="all", query="alphaseen", limit=50)
    assert set(found["totals"]) == set(NAMES)
    assert found["total"] == sum(found["totals"].values())
    for entity, total in found["totals"].items():
        assert total == user("crm_search", entity=entity, query="alphaseen", limit=1)["total"]
    for row in found["records"]:
        assert {"entity", "id", "name"} <= set(row)
        assert user("crm_get", entity=row["entity"], id=row["id"])["id"] == row["id"]


def test_nothing_beyond_the_persons_reach(alpha, beta, user, admin) -> None:
    for query in ("alphahidden", "beta"):
        found = user("crm_search", entity="all", query=query)
        # Everybody reads the knowledge base.
        assert {row["entity"] for row in found["records"]} <= {"solutions"}
    assert admin("crm_search", entity="all", query="alphahidden")["total"] > 12
    assert admin("crm_search", entity="all", query="beta")["total"] == 0


def test_best_match_first(alpha, admin) -> None:
    with org_context(alpha.org):
        owner = {"org": alpha.org, "created_by": alpha.admin.user}
        Account.objects.create(name="Acme", **owner)
        Account.objects.create(name="Acme Corp", **owner)
        Contact.objects.create(first_name="Ann", last_name="of Acme", **owner)
        Lead.objects.create(first_name="Bob", company_name="Acme", status="assigned", **owner)
    found = admin("crm_search", entity="all", query="acme")
    assert [row["name"] for row in found["records"]] == ["Acme", "Acme Corp", "Ann of Acme", "Bob"]
    assert found["totals"] == {"accounts": 2, "contacts": 1, "leads": 1}
    one = admin("crm_search", entity="all", query="acme", limit=1)
    assert one["returned"] == 1
    assert one["total"] == 4
    assert "crm_search of one entity" in one["notes"][0]


def test_people_and_tags_are_found_too(alpha, user) -> None:
    found = user("crm_search", entity="all", query="Alpha Colleague1")
    assert found["records"][0]["entity"] == "people"


def test_nothing_found(alpha, user) -> None:
    found = user("crm_search", entity="all", query="no such thing")
    assert found["records"] == []
    assert found["total"] == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, "needs a query"),
        ({"query": "  "}, "needs a query"),
        ({"query": "a", "filters": {"status": "New"}}, "takes no filters, only query and limit"),
        ({"query": "a", "sort": "name", "offset": 1}, "takes no sort, offset"),
    ],
)
def test_arguments_that_make_no_sense_here(user, arguments: Any, said: str) -> None:
    error = user("crm_search", entity="all", **arguments)["error"]
    assert error["code"] == "invalid_arguments"
    assert said in error["message"]


@pytest.mark.parametrize("entity", ["all", "my_day"])
def test_arguments_that_say_nothing_are_taken(user, entity: str) -> None:
    query = {"query": "nobody"} if entity == "all" else {}
    nothing = {"offset": 0, "filters": {}, "sort": "", "fields": []}
    assert "records" in user("crm_search", entity=entity, **query, **nothing)


@pytest.mark.parametrize("tool", ["crm_get", "crm_summarize", "crm_describe", "list_actions"])
def test_other_tools_know_no_such_entity(user, tool) -> None:
    more = {"id": "x"} if tool == "crm_get" else {}
    assert user(tool, entity="all", **more)["error"]["code"] == "unknown_entity"


def test_entities_outside_the_scopes_are_left_out(alpha, tools_of) -> None:
    narrow = tools_of(alpha.user, scopes=["leads:read", "cases:read"])
    found = narrow("crm_search", entity="all", query="alphaseen", limit=50)
    assert set(found["totals"]) == {"leads", "cases", "solutions"}
    assert "scopes don't cover them: accounts, contacts" in found["notes"][0]
    nothing = tools_of(alpha.user, scopes=["dashboard:read"])
    error = nothing("crm_search", entity="all", query="alphaseen")["error"]
    assert error["code"] == "insufficient_scope"
