"""The entities that are served on request: all of them together, by what they have in common."""

from io import StringIO

import pytest
from django.core import mail
from django.core.management import call_command

from bottlecrm_mcp.catalogue.model import Access
from bottlecrm_mcp.doctor import person as doctor
from bottlecrm_mcp.doctor.acceptance.matrix import trials_of
from bottlecrm_mcp.doctor.acceptance.runner import Runner
from bottlecrm_mcp.doctor.findings import Outcome
from bottlecrm_mcp.doctor.rollback import never_committed
from bottlecrm_mcp.gateway.shared.rows import rows_at
from tests.bottlecrm_mcp.population import (
    OPTIONAL,
    UNKNOWN_ID,
    ids,
    unchanged,
    with_settings,
)
from tests.bottlecrm_mcp.test_tenancy import MOST_INCLUDES, PARAMS, in_beta, searched, without

every = pytest.mark.parametrize("name", OPTIONAL)


def listed(rest, name):
    """The ids in the CRM's own list of this entity."""
    entity = OPTIONAL[name]
    asked = {**entity.list_parameters, "limit": 100}
    if entity.window:
        asked |= {"start": "2026-01-01", "end": "2027-12-31"}
    answer = rest.get(entity.path, asked)
    assert answer.status_code == 200, answer.content
    return ids(row for section in entity.sections for row in rows_at(answer.json(), section.rows))


def test_not_served_unless_asked_for(settings, tools_of, two_orgs) -> None:
    settings.BOTTLECRM_MCP = with_settings()
    answer = tools_of(two_orgs.alpha_admin)("crm_search", entity="estimates")
    assert answer["error"]["code"] == "unknown_entity"


@pytest.mark.parametrize(("org", "role"), [("alpha", "admin"), ("alpha", "user"), ("beta", "user")])
def test_agent_sees_what_the_person_sees(tools_of, api, alpha, beta, org, role) -> None:
    made = {"alpha": alpha, "beta": beta}[org]
    person = getattr(made, role)
    call, rest = tools_of(person), api(person)
    found = {name: searched(call, name) for name in OPTIONAL}
    assert found == {name: listed(rest, name) for name in OPTIONAL}
    assert all(found.values()), "somebody sees nothing of a kind, and the test proves little"
    counted = {name: call("crm_summarize", entity=name)["total"]["count"] for name in OPTIONAL}
    assert counted == {name: len(found[name]) for name in OPTIONAL}


@every
def test_record_out_of_reach(tools_of, api, alpha, name) -> None:
    """What the person's own list and detail don't show, no tool shows or changes."""
    call, rest = tools_of(alpha.user), api(alpha.user)
    seen = listed(rest, name)
    hidden = [str(each.pk) for each in getattr(alpha, name) if str(each.pk) not in seen]
    assert hidden or name == "products", "everybody sees every product"
    with unchanged():
        for pk in hidden[:2]:
            for tool, arguments in arguments_by_id(name):
                answer = call(tool, entity=name, id=pk, **arguments)
                assert "error" in answer, (tool, arguments, answer)


def arguments_by_id(name):
    """Every call that takes the id of a record of this entity, without the id."""
    entity = OPTIONAL[name]
    yield "crm_get", {}
    included = [each.name for each in entity.includes]
    for first in range(0, len(included), MOST_INCLUDES):
        yield "crm_get", {"include": included[first : first + MOST_INCLUDES]}
    field = next(
        each for each in entity.writable_fields if each.kind.is_text and each.access is Access.WRITE
    )
    yield "crm_update", {"data": {field.name: "taken over"}}
    yield "crm_delete", {"confirm": True}
    for action in entity.actions:
        params = {each.name: PARAMS.get(each.name, UNKNOWN_ID) for each in action.params}
        yield "crm_action", {"action": action.name, "params": params, "confirm": True}


@every
def test_foreign_record_is_like_an_unknown_one(admin, alpha, beta, name) -> None:
    foreign = str(getattr(beta, name)[1].pk)
    with unchanged():
        for tool, arguments in arguments_by_id(name):
            answers = [
                without(pk, admin(tool, entity=name, id=pk, **arguments))
                for pk in (foreign, UNKNOWN_ID)
            ]
            assert answers[0] == answers[1], (tool, arguments)
            assert "beta" not in answers[0]


@every
def test_foreign_reference_is_like_an_unknown_one(admin, alpha, beta, name) -> None:
    pk = str(getattr(alpha, name)[1].pk)
    for field in OPTIONAL[name].fields:
        if not field.kind.is_relation:
            continue
        foreign, _ = in_beta(beta, field.to)
        with unchanged():
            for tool, arguments in calls_with(name, pk, field):
                answers = [
                    without(value, admin(tool, entity=name, **arguments(value)))
                    for value in (foreign, UNKNOWN_ID)
                ]
                assert answers[0] == answers[1], (tool, field.name)


def calls_with(name, pk, field):
    """Calls that take a related record."""
    calls = [("crm_search", lambda value: {"filters": {field.name: value}})]
    if field.writable:
        calls.append(("crm_create", lambda value: {"data": {field.name: value}}))
    if field.access is Access.WRITE:
        calls.append(("crm_update", lambda value: {"id": pk, "data": {field.name: value}}))
    return calls


def test_budgets_with_everything_served(alpha) -> None:
    output = StringIO()
    try:
        call_command("mcp_budget", email=alpha.admin.user.email, org=alpha.org.name, stdout=output)
    except SystemExit:
        pytest.fail(output.getvalue())
    said = output.getvalue()
    assert all(f"crm_describe {name}" in said for name in OPTIONAL)


@pytest.mark.parametrize("role", ["admin", "user"])
def test_doctor_tries_every_tool(alpha, beta, role) -> None:
    person = getattr(alpha, role)
    with unchanged(), never_committed():
        runner = Runner(doctor.person(person.user.email, person.org.name))
        for entity in OPTIONAL.values():
            runner.run(trials_of(runner, entity, write=True))
    failed = {
        f"{cell.entity}, {cell.what}": cell.sentence
        for cell in runner.cells
        if cell.outcome is Outcome.FAILED
    }
    assert failed == {}
    tried = {(cell.entity, cell.what) for cell in runner.cells}
    for tool in ("crm_search", "crm_get", "crm_create", "crm_update", "crm_delete"):
        assert {(name, tool) for name in OPTIONAL} <= tried
    assert mail.outbox == []
