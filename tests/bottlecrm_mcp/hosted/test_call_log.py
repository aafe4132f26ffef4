"""What calls of tools leave in the call log: names and ids, whatever was asked."""

from typing import Any

import pytest
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor

from bottlecrm_mcp import telemetry
from demo_crm.models import Profile
from pat_tokens.models import CallRecord, Event
from pat_tokens.rls import in_organisation
from tests.bottlecrm_mcp.hosted.http import bearer, send
from tests.bottlecrm_mcp.population import populate
from tests.kept import kept

SECRET = "Secret value"
FILTERS = "any, first_name, is_open, status"


@pytest.fixture
def call(app, token_for):
    """Calls a tool as this person by HTTP, as a client that says what it is."""

    def run(secret: str, tool: str, **arguments: Any) -> Any:
        params = {"name": tool, "arguments": arguments}
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
        headers = {**bearer(secret), "User-Agent": "claude-code/2.0.1 (cli)"}
        return send(app, headers=headers, body=body).json()

    return run


@pytest.fixture
def alpha(two_orgs):
    return kept(populate, two_orgs.alpha_admin, two_orgs.alpha_user)


def lead_of(alpha: Any) -> str:
    return str(alpha.leads[0].pk)


def test_a_browser_is_called_one(app, calls, alpha, alpha_admin: Profile, token_for) -> None:
    """All of them begin alike: Mozilla 5.0 says nothing."""
    agent = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0.0.0 Safari/537.36"}
    params = {"name": "list_actions", "arguments": {}}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    send(app, headers=bearer(token_for(alpha_admin)) | agent, body=body)
    [made] = calls(alpha_admin.org)
    assert (made.client, made.client_version) == ("browser", "")


def test_each_call_is_a_row(call, calls, alpha, alpha_admin: Profile, token_for) -> None:
    secret, lead = token_for(alpha_admin, name="Laptop"), lead_of(alpha)
    given = {"first_name": SECRET, "is_open": True, "any": [{"email": SECRET}], SECRET: 1}
    call(secret, "crm_search", entity="leads", filters={"status": "assigned", "any": [given]})
    call(secret, "crm_search", entity="leads", filters={"status": "assigned"}, query=SECRET)
    call(secret, "crm_get", entity="lead", id=lead)
    call(secret, "crm_get", entity="leads", id=SECRET)
    call(secret, "crm_get", entity=SECRET, id=lead)
    call(secret, "crm_update", entity="leads", id=lead, data={"first_name": SECRET})
    call(secret, "crm_delete", entity="leads", id=lead)
    call(secret, "list_actions")
    call(secret, "no_such_tool")
    made = calls(alpha_admin.org)
    told = [(each.tool, each.entity, each.outcome, each.code, each.fields) for each in made]
    assert told == [
        (
            "crm_search",
            "leads",
            "refused",
            "invalid_filter",
            FILTERS,
        ),
        ("crm_search", "leads", "ok", "", "status"),
        ("crm_get", "leads", "ok", "", ""),
        ("crm_get", "leads", "refused", "not_found", ""),
        ("crm_get", "", "refused", "unknown_entity", ""),
        ("crm_update", "leads", "ok", "", "first_name"),
        ("crm_delete", "leads", "preview", "", ""),
        ("list_actions", "", "ok", "", ""),
    ]
    assert [each.record_id for each in made[2:7]] == [lead, "", lead, lead, lead]
    assert [each.writes for each in made] == [False] * 5 + [True] * 2 + [False]
    assert {(each.client, each.client_version) for each in made} == {("claude-code", "2.0.1")}
    assert {(each.actor, each.token_name) for each in made} == {(alpha_admin.user.email, "Laptop")}
    assert SECRET not in str([vars(each) for each in made])


def test_actions_are_named(call, calls, alpha, alpha_admin, token_for) -> None:
    secret, lead = token_for(alpha_admin), lead_of(alpha)
    for action in ("add_comment", "convert", SECRET):
        call(secret, "crm_action", entity="lead", id=lead, action=action)
    told = [(each.outcome, each.fields) for each in calls(alpha_admin.org)]
    assert told == [("refused", "add_comment"), ("refused", "convert"), ("refused", "")]


def test_records_given_by_name_are_known_by_id(call, calls, alpha, alpha_admin, token_for) -> None:
    """Where nothing was done, too; with the record that an action's parameter names."""
    secret = token_for(alpha_admin)
    one, other = alpha.cases[:2]
    named, ids = {"entity": "cases", "id": one.name}, [str(one.pk), str(other.pk)]
    call(secret, "crm_delete", **named)
    call(secret, "crm_update", **named, data={"status": SECRET})
    call(secret, "crm_action", **named, action="merge", params={"into": other.name})
    call(
        secret, "crm_action", entity="cases", ids=[ids[0]], action="merge", params={"into": ids[1]}
    )
    made = calls(alpha_admin.org)
    assert [each.outcome for each in made] == ["preview", "refused", "preview", "preview"]
    assert [each.record_id for each in made] == [ids[0], ids[0], "", ""]
    with in_organisation(alpha_admin.org_id):
        stored = CallRecord.objects.order_by("pk").values_list("call_id", "record_id")
        assert list(stored) == [(each.pk, record_id) for each in made[2:] for record_id in ids]


def test_records_that_filters_match_are_known_by_id(
    call, calls, alpha, alpha_admin, token_for
) -> None:
    """Those of the preview, and of a call that every record refuses."""
    secret, matched = token_for(alpha_admin), [str(each.pk) for each in alpha.cases[:3]]
    given = {"entity": "cases", "filters": {"id": matched}}
    call(secret, "crm_update", **given, data={"priority": "Urgent"})
    call(secret, "crm_action", **given, action="link_parent", params={"parent": SECRET})
    made = calls(alpha_admin.org)
    assert [(each.outcome, each.records) for each in made] == [("preview", 3), ("refused", 3)]
    with in_organisation(alpha_admin.org_id):
        stored = CallRecord.objects.values_list("call_id", "record_id")
        assert set(stored) == {(each.pk, record_id) for each in made for record_id in matched}


def test_refused_write_of_a_record_that_was_named(call, alpha, alpha_admin, token_for) -> None:
    """Its entry in the event log has the record's id once it is found, and no value."""
    secret, case = token_for(alpha_admin), alpha.cases[0]
    call(secret, "crm_update", entity="case", id=case.name, data={"status": SECRET})
    call(secret, "crm_update", entity="cases", ids=[case.name], data={"status": SECRET})
    call(secret, "crm_update", entity="cases", ids=[str(case.pk)], data={"status": SECRET})
    call(secret, "crm_update", entity=SECRET, id=SECRET, data={"status": SECRET})
    with in_organisation(alpha_admin.org_id):
        entries = Event.objects.filter(kind=Event.Kind.WRITE).order_by("created_at")
        told = list(entries.values_list("entity", "record_id"))
    assert told == [*[("cases", str(case.pk))] * 3, ("", "")]


def test_what_reads_records_without_a_tool(
    app, calls, alpha, alpha_admin: Profile, token_for
) -> None:
    """A resource and a completion are rows like the calls of tools that they are like."""
    secret, lead = token_for(alpha_admin), lead_of(alpha)

    def ask(method: str, **params: Any) -> Any:
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        return send(app, headers=bearer(secret), body=body).json()

    def complete(argument: str, **context: Any) -> Any:
        ref = {"type": "ref/resource", "uri": "crm://{entity}/{id}"}
        given = {"name": argument, "value": "" if context else "a"}
        chosen = {"context": {"arguments": context}} if context else {}
        return ask("completion/complete", ref=ref, argument=given, **chosen)

    assert "result" in ask("resources/read", uri=f"crm://leads/{lead}")
    assert "error" in ask("resources/read", uri=f"crm://leads/{SECRET}")
    found = complete("id", entity="leads")["result"]["completion"]["values"]
    # Neither has to do with a record.
    assert "result" in ask("resources/read", uri="crm://leads")
    assert "result" in complete("entity")
    made = calls(alpha_admin.org)
    told = [(each.tool, each.entity, each.outcome, each.code, each.record_id) for each in made]
    assert told == [
        ("crm_get", "leads", "ok", "", lead),
        ("crm_get", "leads", "refused", "not_found", ""),
        ("crm_search", "leads", "ok", "", ""),
    ]
    assert made[2].records == len(found) > 0
    assert SECRET not in str([vars(each) for each in made])


def test_calls_that_a_scope_or_the_crm_refuses(call, calls, alpha, alpha_user, token_for) -> None:
    secret = token_for(alpha_user, scopes=["*:read"])
    call(secret, "crm_update", entity="leads", id=lead_of(alpha), data={"status": "lost"})
    (made,) = calls(alpha_user.org)
    assert (made.outcome, made.code) == ("refused", "insufficient_scope")


def test_search_tells_a_number_and_a_create_its_record(
    call, calls, alpha, alpha_admin, token_for
) -> None:
    secret = token_for(alpha_admin)
    call(secret, "crm_search", entity="leads")
    call(secret, "crm_create", entity="leads", data={"first_name": "A", "last_name": "B"})
    found, made = calls(alpha_admin.org)
    assert (found.record_id, found.records > 0) == ("", True)
    assert len(made.record_id) == 36
    assert made.fields == "first_name, last_name"


def test_each_organisation_has_its_own(call, calls, alpha_user, beta_user, token_for) -> None:
    call(token_for(alpha_user), "list_actions")
    call(token_for(beta_user), "list_actions")
    assert [each.actor_id for each in calls(alpha_user.org)] == [str(alpha_user.pk)]
    assert [each.actor_id for each in calls(beta_user.org)] == [str(beta_user.pk)]


def test_log_that_can_not_be_stored_fails_no_call(
    call, calls, alpha_user, token_for, monkeypatch
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr("pat_tokens.audit.calls.CallLog.add", fail)
    answer = call(token_for(alpha_user), "list_actions")
    assert "error" not in answer
    monkeypatch.undo()
    assert [each.outcome for each in calls(alpha_user.org)] == ["lost"]


def test_handed_on_to_opentelemetry(call, alpha, alpha_admin, token_for, monkeypatch) -> None:
    """By the logs API, with the names and ids of the row and nothing more."""
    exported = InMemoryLogRecordExporter()
    provider = LoggerProvider()
    provider.add_log_record_processor(SimpleLogRecordProcessor(exported))
    monkeypatch.setattr(telemetry, "_log_records", provider.get_logger("bottlecrm_mcp"))
    lead = lead_of(alpha)
    call(token_for(alpha_admin), "crm_update", entity="leads", id=lead, data={"title": SECRET})
    (logged,) = exported.get_finished_logs()
    told = dict(logged.log_record.attributes or {})
    assert isinstance(told.pop("bottlecrm.ms"), int)
    assert told.pop("bottlecrm.token_id")
    assert told == {
        "bottlecrm.org_id": str(alpha_admin.org_id),
        "bottlecrm.actor_id": str(alpha_admin.pk),
        "bottlecrm.tool": "crm_update",
        "bottlecrm.entity": "leads",
        "bottlecrm.outcome": "ok",
        "bottlecrm.record_ids": lead,
        "bottlecrm.fields": "title",
    }
