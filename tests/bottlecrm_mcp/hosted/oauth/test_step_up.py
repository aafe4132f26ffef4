"""A client that asks for more: what is chosen beforehand, and what becomes of what it had."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from bottlecrm_mcp.hosted.oauth import metadata
from pat_tokens.models import Connection
from pat_tokens.oauth.connections import end_by_id
from pat_tokens.rls import in_organisation
from pat_tokens.services.policy import change_policy
from tests.bottlecrm_mcp.hosted.http import JSON, bearer, send
from tests.bottlecrm_mcp.hosted.oauth.flow import CLAUDE_CODE, Flow
from tests.bottlecrm_mcp.hosted.oauth.test_flow import status_of

LOOPBACK = "http://localhost:3118/callback"
CHOSEN = {"access": "entities", "entity-leads": "write", "entity-tasks": "read"}


@pytest.fixture
def program(flow) -> Flow:
    """One that many computers have, under the same published id."""
    return Flow(flow.app, CLAUDE_CODE, LOOPBACK)


def chosen_beforehand(page: str) -> set[str]:
    """The value of each radio button, option and box that is chosen."""
    radios = re.findall(r'name="access" value="(\w+)"[^>]*checked', page)
    boxes = re.findall(r'name="(replaces)"[^>]*checked', page)
    selects = re.findall(r'<select name="entity-([\w-]+)"(.*?)</select>', page, re.DOTALL)
    levels = {
        f"{name}:{level}"
        for name, options in selects
        for level in re.findall(r'value="(\w+)" selected', options)
    }
    return {*radios, *boxes, *levels}


def states(org, connections) -> list[str]:
    return sorted(each.status for each in connections(org))


def test_first_consent_says_nothing_of_an_earlier_one(flow, browser, alpha_user) -> None:
    page = browser(alpha_user).get(flow.consent_page()).content.decode()
    assert "It may already" not in page
    assert 'name="replaces"' not in page
    assert chosen_beforehand(page) == {"read_only"}


def test_what_it_has_and_what_is_asked_is_chosen_beforehand(flow, browser, alpha_user) -> None:
    person = browser(alpha_user)
    flow.connect(person)
    page = person.get(flow.consent_page()).content.decode()
    assert re.search(r"<dt>It may already</dt>\s*<dd>Read only</dd>", page)
    assert chosen_beforehand(page) == {"read_write", "replaces"}
    page = person.get(flow.consent_page(scope="crm:read")).content.decode()
    assert chosen_beforehand(page) == {"read_only", "replaces"}


def test_chosen_records_stay_the_chosen_ones(flow, browser, alpha_user) -> None:
    person = browser(alpha_user)
    flow.connect(person, **CHOSEN)
    page = person.get(flow.consent_page()).content.decode()
    assert {"entities", "leads:write", "tasks:write"} <= chosen_beforehand(page)
    assert "accounts:write" not in chosen_beforehand(page)


def test_policy_bounds_what_is_chosen_beforehand(flow, browser, alpha_user, alpha_admin) -> None:
    person = browser(alpha_user)
    flow.connect(person, access="read_write")
    change_policy(alpha_admin, agents="read_only")
    page = person.get(flow.consent_page()).content.decode()
    assert chosen_beforehand(page) == {"read_only", "replaces"}


def test_step_up_replaces_once_the_client_has_its_tokens(
    flow, browser, alpha_user, connections, events
) -> None:
    person = browser(alpha_user)
    old = flow.connect(person)
    code = flow.code(person, access="read_write", replaces="on")
    assert status_of(flow.app, old["access_token"]) == 200
    new = flow.exchange(code).json()
    assert new["scope"] == "crm:read crm:write"
    assert status_of(flow.app, new["access_token"]) == 200
    assert status_of(flow.app, old["access_token"]) == 401
    assert flow.refresh(old["refresh_token"]).json()["error"] == "invalid_grant"
    assert states(alpha_user.org, connections) == ["active", "ended"]
    [event] = events(alpha_user.org, kind="disconnected")
    assert event.detail == "replaced by a new sign-in of the same client"


def test_other_computer_keeps_its_connection(program, browser, alpha_user, connections) -> None:
    person = browser(alpha_user)
    program.connect(person)
    with in_organisation(alpha_user.org_id):
        Connection.objects.update(last_used_at=timezone.now() - timedelta(days=1))
    page = person.get(program.consent_page()).content.decode()
    assert "if it is on another computer" in page
    assert "replaces" not in chosen_beforehand(page)
    program.connect(person)
    assert states(alpha_user.org, connections) == ["active", "active"]


def test_program_that_was_just_refused_is_the_same(program, browser, alpha_user) -> None:
    person = browser(alpha_user)
    tokens = program.connect(person)
    assert status_of(program.app, tokens["access_token"]) == 200
    page = person.get(program.consent_page()).content.decode()
    assert "replaces" in chosen_beforehand(page)


def test_client_that_signs_out_before_it_asks_anew(program, browser, alpha_user) -> None:
    """As Claude Code does."""
    person = browser(alpha_user)
    tokens = program.connect(person)
    form = {"token": tokens["refresh_token"], "client_id": CLAUDE_CODE}
    assert program.form("/oauth/revoke", form).status_code == 200
    page = person.get(program.consent_page()).content.decode()
    assert "Read only, until it signed out just now" in page
    assert chosen_beforehand(page) == {"read_write"}
    assert 'name="replaces"' not in page
    with in_organisation(alpha_user.org_id):
        Connection.objects.update(ended_at=timezone.now() - timedelta(minutes=11))
    assert "It may already" not in person.get(program.consent_page()).content.decode()


def test_connection_that_the_person_ended_gives_nothing(
    flow, browser, alpha_user, connections
) -> None:
    person = browser(alpha_user)
    flow.connect(person, access="read_write")
    end_by_id(connections(alpha_user.org)[0].pk, by=alpha_user)
    page = person.get(flow.consent_page()).content.decode()
    assert chosen_beforehand(page) == {"read_only"}


def test_of_others_and_of_other_clients_nothing_ends(
    flow, program, browser, alpha_user, alpha_admin, beta_admin, connections
) -> None:
    for person in (alpha_admin, beta_admin):
        flow.connect(browser(person))
    program.connect(browser(alpha_user))
    page = browser(alpha_user).get(flow.consent_page()).content.decode()
    assert "It may already" not in page
    flow.connect(browser(alpha_user), replaces="on")
    assert states(alpha_user.org, connections) == ["active"] * 3
    assert states(beta_admin.org, connections) == ["active"]


def test_client_that_registered_itself_is_one_installation(flow, browser, alpha_user) -> None:
    body = b'{"client_name": "Desk", "redirect_uris": ["http://127.0.0.1:1/callback"]}'
    made = send(flow.app, path=metadata.REGISTER, headers=JSON, body=body).json()
    desk = Flow(flow.app, made["client_id"], "http://127.0.0.1:1/callback")
    person = browser(alpha_user)
    desk.connect(person)
    page = person.get(desk.consent_page()).content.decode()
    assert "replaces" in chosen_beforehand(page)


def test_front_end_of_the_hosts_own(flow, browser, alpha_user, api, connections) -> None:
    old = flow.connect(browser(alpha_user), **CHOSEN)
    pk = flow.consent_page().rpartition("=")[2]
    url = f"/api/profile/tokens/authorizations/{pk}/"
    asked = api(alpha_user).get(url).json()
    assert asked["may_already"] == "Leads: read and write; Tasks: read"
    assert asked["default_access"] == "entities"
    assert asked["default_entities"] == {"leads": "write", "tasks": "write"}
    assert asked["default_replaces"] is True
    decision = {"decision": "allow", "owner": asked["owner"], "access": "read_only", "days": 30}
    answer = api(alpha_user).post(url, {**decision, "replaces": "yes"}, format="json")
    assert answer.status_code == 400
    answer = api(alpha_user).post(url, {**decision, "replaces": True}, format="json")
    code = re.search(r"code=([^&]*)", answer.json()["redirect_to"])[1]
    assert flow.exchange(code).status_code == 200
    assert send(flow.app, headers=bearer(old["access_token"])).status_code == 401
    assert states(alpha_user.org, connections) == ["active", "ended"]
