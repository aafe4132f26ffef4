"""What is offered to a token with scopes, and what a call outside them is told."""

from typing import Any

import pytest

from demo_crm.access.row_security import org_context
from demo_crm.models import Lead
from tests.agent import Agent, Person
from tests.bottlecrm_mcp.population import UNKNOWN_ID

READING = ["crm_search", "crm_summarize", "crm_get"]
WRITING = ["crm_create", "crm_update", "crm_delete", "crm_action"]
EITHER = ["crm_describe", "list_actions"]

TOKENS = {
    "leads:read": READING,
    "leads:write": WRITING,
    "*:read": READING,
    "*:write": WRITING,
}


def calls(record: str, entity: str) -> dict[str, dict[str, Any]]:
    """A call of each tool that, allowed, would succeed or ask for confirmation."""
    data = {"leads": {"company_name": "Scoped"}, "contacts": {"first_name": "S", "last_name": "C"}}
    one = {"entity": entity, "id": record}
    return {
        "crm_search": {"entity": entity},
        "crm_summarize": {"entity": entity},
        "crm_get": one,
        "crm_create": {"entity": entity, "data": data[entity]},
        "crm_update": {**one, "data": {"description": "Scoped"}},
        "crm_action": {**one, "action": "add_comment", "params": {"comment": "Scoped"}},
        "crm_delete": one,
    }


@pytest.mark.parametrize("scope", TOKENS)
def test_tools_that_are_offered(live: Any, alpha_user: Any, era: str, scope: str) -> None:
    async def steps(agent: Agent) -> list[str]:
        return [tool.name for tool in (await agent.client.list_tools()).tools]

    assert live(alpha_user, steps, era=era, scopes=[scope]) == TOKENS[scope] + EITHER


@pytest.mark.parametrize("entity", ["leads", "contacts"])
@pytest.mark.parametrize("scope", TOKENS)
def test_calls_outside_the_scopes_name_the_one_that_is_missing(
    live: Any, alpha: Any, scope: str, entity: str
) -> None:
    resource, _ = scope.split(":")
    allowed = TOKENS[scope] if resource in ("*", entity) else []
    record = str(getattr(alpha, entity)[1].pk)

    async def steps(agent: Agent) -> None:
        for tool, arguments in calls(record, entity).items():
            if tool == "crm_delete" and tool in allowed:
                error = await agent.refused(tool, **arguments)
                assert f"{entity}:read, without which there is no preview" in error["message"]
            elif tool in allowed:
                await agent(tool, **arguments)
            else:
                error = await agent.refused(tool, **arguments)
                assert error["code"] == "insufficient_scope"
                wanted = "read" if tool in READING else "write"
                assert f"{entity}:{wanted}" in error["message"]
                assert f"{entity}:{wanted}" in error["hint"]

    live(alpha.user, steps, scopes=[scope])


def test_write_without_read_answers_with_the_id_alone(live: Any, alpha: Any) -> None:
    lead = alpha.leads[1]

    async def steps(agent: Agent) -> tuple[Any, Any]:
        created = await agent("crm_create", entity="leads", data={"company_name": "Unseen"})
        updated = await agent(
            "crm_update", entity="leads", id=str(lead.pk), data={"company_name": "Renamed"}
        )
        return created, updated

    created, updated = live(alpha.user, steps, scopes=["leads:write"])
    for answer in (created, updated):
        assert answer["record"] is None
        assert "leads:read" in answer["record_not_shown"]
    assert "changed" not in updated
    with org_context(alpha.org):
        assert Lead.objects.get(pk=created["id"]).company_name == "Unseen"
        assert Lead.objects.get(pk=lead.pk).company_name == "Renamed"


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("crm_delete", {}),
        ("crm_update", {"data": {"status": "converted"}}),
        ("crm_action", {"action": "convert"}),
    ],
)
@pytest.mark.parametrize("confirmed", [{}, {"confirm": True}])
def test_effect_whose_preview_may_not_be_read(
    live: Any, alpha: Any, tool: str, arguments: Any, confirmed: Any
) -> None:
    lead = alpha.leads[1]

    async def steps(agent: Agent) -> Any:
        one = {"entity": "leads", "id": str(lead.pk)}
        return await agent.refused(tool, **one, **arguments, **confirmed)

    error = live(alpha.user, steps, era="legacy", scopes=["leads:write"])
    assert "leads:read, without which there is no preview to confirm" in error["message"]
    with org_context(alpha.org):
        assert Lead.objects.get(pk=lead.pk).status == lead.status


def test_effect_without_read_shows_no_form(live: Any, alpha: Any) -> None:
    person = Person()

    async def steps(agent: Agent) -> Any:
        return await agent.refused("crm_delete", entity="leads", id=str(alpha.leads[1].pk))

    live(alpha.user, steps, person=person, scopes=["leads:write"])
    assert person.read == []


LEADS_ONLY = ["leads:read", "leads:write"]


@pytest.mark.parametrize(
    ("data", "scope"),
    [
        ({"assigned_to": "Alpha Colleague0"}, "users:read"),
        ({"teams": ["Alpha team 1"]}, "users:read"),
        ({"tags": ["Alpha tag 1"]}, "tags:read"),
        ({"contacts": ["alphaseen first_name"]}, "contacts:read"),
    ],
)
def test_names_are_looked_up_with_the_tokens_own_scopes(
    live: Any, alpha: Any, data: Any, scope: str
) -> None:
    async def steps(agent: Agent) -> Any:
        return await agent.refused(
            "crm_create", entity="leads", data={"company_name": "Nameless", **data}
        )

    error = live(alpha.user, steps, scopes=LEADS_ONLY)
    assert error["code"] == "insufficient_scope"
    assert scope in error["message"]
    assert error["hint"] == "Give the id."
    assert not exists(alpha, "Nameless")


def test_filters_are_looked_up_with_the_tokens_own_scopes(live: Any, alpha: Any) -> None:
    async def steps(agent: Agent) -> Any:
        # The leads themselves name who has them; whom they do not name has to be looked up.
        shown = await agent(
            "crm_search", entity="leads", filters={"assigned_to": "Alpha Colleague0"}
        )
        assert shown["total"] > 0
        named = {"assigned_to": "Nobody of these"}
        error = await agent.refused("crm_search", entity="leads", filters=named)
        assert "users:read" in error["message"]
        by_id = {"assigned_to": str(alpha.people[2].pk)}
        return await agent("crm_search", entity="leads", filters=by_id)

    assert live(alpha.admin, steps, scopes=["leads:read"])["total"] > 0


def test_me_needs_no_look_up(live: Any, alpha: Any) -> None:
    async def steps(agent: Agent) -> Any:
        mine = {"company_name": "Mine", "assigned_to": "me"}
        return await agent("crm_create", entity="leads", data=mine)

    created = live(alpha.user, steps, scopes=LEADS_ONLY)
    assert [each["id"] for each in created["record"]["assigned_to"]] == [str(alpha.user.pk)]


def test_id_is_taken_unchecked_and_what_the_crm_drops_is_told(live: Any, alpha: Any) -> None:
    known = str(alpha.tags[0].pk)

    async def steps(agent: Agent) -> Any:
        tagged = {"company_name": "Tagged", "tags": [known, UNKNOWN_ID]}
        return await agent("crm_create", entity="leads", data=tagged)

    created = live(alpha.user, steps, scopes=LEADS_ONLY)
    assert [each["id"] for each in created["record"]["tags"]] == [known]
    assert created["warnings"] == [f"tags: the CRM did not take {UNKNOWN_ID}."]


def test_id_that_nobody_can_check_is_told(live: Any, alpha: Any) -> None:
    known = str(alpha.tags[0].pk)

    async def steps(agent: Agent) -> Any:
        tagged = {"company_name": "Tagged", "tags": [known]}
        return await agent("crm_create", entity="leads", data=tagged)

    created = live(alpha.user, steps, scopes=["leads:write"])
    assert created["warnings"] == [f"tags: the token may not look up {known}."]


def exists(made: Any, company: str) -> bool:
    with org_context(made.org):
        return Lead.objects.filter(company_name=company).exists()
