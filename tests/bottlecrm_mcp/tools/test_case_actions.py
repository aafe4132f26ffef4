"""Time, approvals, trees, merges, watchers and files of cases, end to end through crm_action."""

from types import SimpleNamespace

import pytest

from bottlecrm_mcp.tools.actions import below
from demo_crm.access.row_security import org_context
from demo_crm.models import Case, Contact
from tests.bottlecrm_mcp.population import unchanged
from tests.demo_crm.conftest import make_records
from tests.demo_crm.test_actions import COMMENTED, attach

RULES = "/api/cases/approval-rules/"
MORNING = {
    "started_at": "2026-01-05T09:00:00Z",
    "ended_at": "2026-01-05T09:45:00Z",
    "description": "Called them",
}


@pytest.fixture(params=["admin", "user"])
def someone(request, alpha_admin, alpha_user):
    """The administrator or the user: how they call tools, and a case of their own."""
    profile = {"admin": alpha_admin, "user": alpha_user}[request.param]
    records = make_records(profile, request.param)
    call = request.getfixturevalue(request.param)
    return SimpleNamespace(call=call, profile=profile, records=records, case=records.cases)


@pytest.fixture
def case(alpha_user):
    """A case of the user, which the administrator sees as well."""
    return make_records(alpha_user, "users").cases


@pytest.fixture
def hidden(alpha_admin):
    """A case out of the user's reach."""
    return make_records(alpha_admin, "admins").cases


@pytest.fixture
def other(case):
    """Another case of the user."""
    return add_case(case, "Other")


@pytest.fixture
def rule(api, alpha_admin):
    return add_rule(api(alpha_admin))


def add_case(like, name, **values):
    with org_context(like.org):
        values = {"status": "New", "priority": "Low", "created_by": like.created_by, **values}
        made = Case.objects.create(name=name, org=like.org, **values)
        made.contacts.add(*Contact.objects.all())
    return made


def add_rule(client, **values):
    answer = client.post(RULES, {"name": "Second look", **values}, format="json")
    assert answer.status_code == 201
    return answer.json()["id"]


def act(call, record, action, /, confirm=True, entity="cases", **params):
    return call(
        "crm_action",
        entity=entity,
        id=str(record.pk),
        action=action,
        params=params,
        confirm=confirm,
    )


def done(call, record, action, /, **params):
    answer = act(call, record, action, **params)
    assert "result" in answer, answer
    return answer["result"]


def refused(call, record, action, /, **params):
    with unchanged():
        return act(call, record, action, **params)["error"]


def preview(call, record, action, /, **params):
    with unchanged():
        return act(call, record, action, confirm=False, **params)["preview"]


def included(call, record, what, entity="cases"):
    return call("crm_get", entity=entity, id=str(record.pk), include=[what])[what]["records"]


def status_of(call, record):
    return call("crm_get", entity="cases", id=str(record.pk))["record"]["status"]


def test_log_time(someone) -> None:
    logged = done(someone.call, someone.case, "log_time", **MORNING, billable=True, hourly_rate=80)
    assert (logged["duration_minutes"], logged["billable"]) == (45, True)
    (entry,) = included(someone.call, someone.case, "time_entries")
    assert (entry["id"], entry["description"]) == (logged["id"], "Called them")


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"ended_at": "2026-01-05T08:00:00Z"}, "rejected"),
        ({"description": " "}, "rejected"),
        ({"started_at": "some time ago"}, "invalid_value"),
        ({"currency": "XYZ"}, "invalid_value"),
        ({"hourly_rate": "-1"}, "rejected"),
    ],
)
def test_log_nonsense(user, case, params, code) -> None:
    assert refused(user, case, "log_time", **{**MORNING, **params})["code"] == code


def test_timer(someone, case) -> None:
    started = done(someone.call, someone.case, "start_timer", description="On it")
    assert "ended_at" not in started
    assert refused(someone.call, someone.case, "start_timer")["code"] == "conflict"
    stop = {"time_entry_id": started["id"]}
    # An entry of another case.
    assert refused(someone.call, case, "stop_timer", **stop)["code"] == "not_found"
    assert done(someone.call, someone.case, "stop_timer", **stop)["ended_at"]
    assert refused(someone.call, someone.case, "stop_timer", **stop)["code"] == "nothing_to_do"


def test_second_timer_is_told_where_the_first_one_runs(user, case, other) -> None:
    running = done(user, case, "start_timer")["id"]
    error = refused(user, other, "start_timer")
    assert error["code"] == "conflict"
    assert error["fields"] == {"running_entry_id": running, "running_case_id": str(case.pk)}


def test_delete_time_entry(someone) -> None:
    entry = {"time_entry_id": done(someone.call, someone.case, "log_time", **MORNING)["id"]}
    shown = preview(someone.call, someone.case, "delete_time_entry", **entry)
    assert shown["effects"] == ["deletes"]
    done(someone.call, someone.case, "delete_time_entry", **entry)
    assert included(someone.call, someone.case, "time_entries") == []
    assert refused(someone.call, someone.case, "delete_time_entry", **entry)["code"] == "not_found"


def test_time_of_somebody_else(admin, user, case) -> None:
    theirs = {"time_entry_id": done(admin, case, "log_time", **MORNING)["id"]}
    running = {"time_entry_id": done(admin, case, "start_timer")["id"]}
    assert refused(user, case, "delete_time_entry", **theirs)["code"] == "not_found"
    assert refused(user, case, "stop_timer", **running)["code"] == "not_found"
    mine = {"time_entry_id": done(user, case, "start_timer")["id"]}
    done(admin, case, "stop_timer", **mine)
    done(admin, case, "delete_time_entry", **mine)


@pytest.mark.parametrize(("action", "params"), [("log_time", MORNING), ("start_timer", {})])
def test_time_on_a_case_out_of_reach(user, api, alpha_user, hidden, action, params) -> None:
    assert refused(user, hidden, action, **params)["code"] == "forbidden"
    # The CRM's own route would have taken it.
    path = f"/api/cases/{hidden.pk}/time-entries/"
    assert api(alpha_user).post(path, MORNING, format="json").status_code == 201


def test_case_is_closed_with_an_approval(admin, user, case, rule) -> None:
    error = refused(user, case, "close", closed_on="today")
    assert "approval is required" in error["fields"]["status"]
    request = done(user, case, "request_approval", note="All done")
    assert (request["state"], request["note"]) == ("pending", "All done")
    assert refused(user, case, "request_approval")["code"] == "conflict"
    approval = {"approval_id": request["id"]}
    assert done(admin, case, "approve", **approval, note="Fine")["state"] == "approved"
    (shown,) = included(user, case, "approvals")
    assert (shown["state"], shown["note"]) == ("approved", "Fine")
    assert refused(admin, case, "approve", **approval)["code"] == "nothing_to_do"
    assert done(user, case, "close", closed_on="today")["record"]["status"] == "Closed"


def test_update_does_not_get_past_a_rule_either(someone, rule) -> None:
    values = {"status": "Closed", "closed_on": "today"}
    with unchanged():
        error = someone.call(
            "crm_update", entity="cases", id=str(someone.case.pk), data=values, confirm=True
        )["error"]
    assert "approval is required" in error["fields"]["status"]


def test_nobody_approves_their_own(api, admin, user, alpha_admin, alpha_user, case) -> None:
    add_rule(api(alpha_admin), approver_ids=[str(alpha_user.pk)])
    approval = {"approval_id": done(user, case, "request_approval")["id"]}
    assert refused(user, case, "approve", **approval)["code"] == "forbidden"
    assert refused(user, case, "reject", **approval, reason="x")["code"] == "forbidden"
    done(user, case, "cancel_approval", **approval)
    approval = {"approval_id": done(admin, case, "request_approval")["id"]}
    assert refused(admin, case, "approve", **approval)["code"] == "forbidden"
    assert done(user, case, "approve", **approval)["state"] == "approved"


def test_who_is_no_approver(admin, user, case, rule) -> None:
    approval = {"approval_id": done(admin, case, "request_approval")["id"]}
    assert refused(user, case, "approve", **approval)["code"] == "forbidden"
    assert refused(user, case, "cancel_approval", **approval)["code"] == "forbidden"


def test_reject(admin, user, case, rule) -> None:
    approval = {"approval_id": done(user, case, "request_approval")["id"]}
    for reason in ({}, {"reason": ""}, {"reason": "  "}):
        assert "error" in act(admin, case, "reject", **approval, **reason)
    rejected = done(admin, case, "reject", **approval, reason="Not yet")
    assert (rejected["state"], rejected["reason"]) == ("rejected", "Not yet")
    assert refused(user, case, "close", closed_on="today")["code"] == "rejected"


def test_cancel(someone, rule) -> None:
    approval = {"approval_id": done(someone.call, someone.case, "request_approval")["id"]}
    cancelled = done(someone.call, someone.case, "cancel_approval", **approval)
    assert cancelled["state"] == "cancelled"
    again = refused(someone.call, someone.case, "cancel_approval", **approval)
    assert again["code"] == "nothing_to_do"


def test_approval_of_another_case(admin, user, case, other, rule) -> None:
    approval = {"approval_id": done(user, case, "request_approval")["id"]}
    assert refused(admin, other, "approve", **approval)["code"] == "not_found"
    assert refused(user, other, "cancel_approval", **approval)["code"] == "not_found"


def test_approval_that_no_rule_wants(someone) -> None:
    error = refused(someone.call, someone.case, "request_approval")
    assert (error["code"], "No active approval rule" in error["message"]) == ("rejected", True)


def test_approval_for_a_case_out_of_reach(user, hidden, rule) -> None:
    assert refused(user, hidden, "request_approval")["code"] == "forbidden"


def test_close_with_children(someone, mailoutbox, django_capture_on_commit_callbacks) -> None:
    call, case = someone.call, someone.case
    child = add_case(case, "Child", parent=case)
    grandchild = add_case(case, "Grandchild", parent=child)
    shown = preview(call, case, "close_with_children", closed_on="today")
    assert [each["name"] for each in shown["also"]] == ["Child", "Grandchild"]
    assert all(each["mailed_to"]["contacts"] for each in shown["also"])
    with django_capture_on_commit_callbacks(execute=True):
        result = done(call, case, "close_with_children", closed_on="today")
    assert [(each["name"], each["done"]) for each in result["also"]] == [
        ("Child", True),
        ("Grandchild", True),
    ]
    assert {status_of(call, each) for each in (case, child, grandchild)} == {"Closed"}
    assert len(mailoutbox) == 3


def test_children_that_want_an_approval_stay_open(
    api, someone, alpha_admin, mailoutbox, django_capture_on_commit_callbacks
) -> None:
    call, case = someone.call, someone.case
    add_rule(api(alpha_admin), match_priority="Urgent")
    plain = add_case(case, "Plain", parent=case)
    guarded = add_case(case, "Guarded", parent=case, priority="Urgent")
    with django_capture_on_commit_callbacks(execute=True):
        result = done(call, case, "close_with_children", closed_on="today")
    also = {each["name"]: each for each in result["also"]}
    assert also["Plain"] == {"id": str(plain.pk), "name": "Plain", "done": True}
    assert also["Guarded"]["done"] is False
    assert "approval is required" in also["Guarded"]["reason"]
    states = [status_of(call, each) for each in (case, plain, guarded)]
    assert states == ["Closed", "Closed", "New"]
    assert len(mailoutbox) == 2


def test_case_that_wants_an_approval_keeps_its_children(
    api, someone, alpha_admin, mailoutbox, django_capture_on_commit_callbacks
) -> None:
    add_rule(api(alpha_admin), match_priority="High")
    add_case(someone.case, "Child", parent=someone.case)
    with django_capture_on_commit_callbacks(execute=True):
        error = refused(someone.call, someone.case, "close_with_children", closed_on="today")
    assert "approval is required" in error["fields"]["status"]
    assert mailoutbox == []


def test_more_children_than_one_call_reaches(user, case, monkeypatch) -> None:
    monkeypatch.setattr(below, "MOST_DESCENDANTS", 3)
    close = {"entity": "cases", "id": str(case.pk), "action": "close_with_children"}
    params = {"closed_on": "today"}
    children = [add_case(case, f"Child {number}") for number in range(3)]
    with org_context(case.org):
        Case.objects.filter(pk__in=[each.pk for each in children]).update(parent=case)
    assert len(user("crm_action", **close, params=params)["preview"]["also"]) == 3
    grandchild = add_case(case, "Below a child")
    with org_context(case.org):
        Case.objects.filter(pk=grandchild.pk).update(parent=children[0])
    with unchanged():
        error = user("crm_action", **close, params=params, confirm=True)["error"]
    assert error["message"] == "More than 3 cases are below this one."


def test_children_out_of_reach_are_left_alone(user, admin, case, alpha_admin, hidden) -> None:
    child = add_case(hidden, "Child of theirs", parent=case)
    result = done(user, case, "close_with_children", closed_on="today")
    assert "also" not in result
    assert status_of(admin, child) == "New"


def test_link_parent(someone) -> None:
    call, case = someone.call, someone.case
    parent = add_case(case, "Parent")
    assert done(call, case, "link_parent", parent="Parent")["record"]["id"] == str(case.pk)
    (below,) = included(call, parent, "children")
    assert below["id"] == str(case.pk)
    assert refused(call, parent, "link_parent", parent=str(case.pk))["code"] == "rejected"
    assert refused(call, case, "link_parent", parent=str(case.pk))["code"] == "invalid_value"
    data = {"parent": None}
    assert "error" not in call("crm_update", entity="cases", id=str(case.pk), data=data)
    assert included(call, parent, "children") == []


def test_link_out_of_reach(user, case, hidden) -> None:
    assert refused(user, hidden, "link_parent", parent=str(case.pk))["code"] == "forbidden"
    assert "error" in act(user, case, "link_parent", parent=str(hidden.pk))
    with org_context(case.org):
        case.refresh_from_db()
    assert case.parent is None


@pytest.mark.parametrize("entity", [*COMMENTED, "invoices"])
def test_delete_attachment(someone, api, entity) -> None:
    record = getattr(someone.records, entity)
    attach(api(someone.profile), entity, record)
    (attached,) = included(someone.call, record, "attachments", entity)
    assert attached["file_name"] == "plan.pdf"
    part = {"attachment_id": attached["id"], "entity": entity}
    assert preview(someone.call, record, "delete_attachment", **part)["effects"] == ["deletes"]
    done(someone.call, record, "delete_attachment", **part)
    assert included(someone.call, record, "attachments", entity) == []
    assert refused(someone.call, record, "delete_attachment", **part)["code"] == "not_found"


def test_attachment_of_somebody_else(user, api, alpha_admin, case, other) -> None:
    path = attach(api(alpha_admin), "cases", case)
    part = {"attachment_id": path.split("/")[-2]}
    assert refused(user, case, "delete_attachment", **part)["code"] == "forbidden"
    assert refused(user, other, "delete_attachment", **part)["code"] == "not_found"


def test_watch(someone) -> None:
    call, case = someone.call, someone.case
    done(call, case, "watch")
    done(call, case, "watch")
    (watcher,) = included(call, case, "watchers")
    assert watcher["profile_id"] == str(someone.profile.pk)
    assert watcher["subscribed_via"] == "manual"
    done(call, case, "unwatch")
    assert included(call, case, "watchers") == []


def test_watch_out_of_reach(user, hidden) -> None:
    assert refused(user, hidden, "watch")["code"] in ("forbidden", "not_found")
    assert refused(user, hidden, "unwatch")["code"] in ("forbidden", "not_found")


def test_merge_and_unmerge(someone) -> None:
    call, case = someone.call, someone.case
    into = add_case(case, "Original")
    done(call, case, "add_comment", comment="of the duplicate")
    shown = preview(call, case, "merge", into="Original")
    assert "duplicate" in shown["this_will"]
    assert "confirmation_required" not in act(call, case, "merge", into="Original")
    (moved,) = included(call, into, "comments")
    assert moved["comment"] == "of the duplicate"
    done(call, case, "unmerge")
    (back,) = included(call, case, "comments")
    assert back["id"] == moved["id"]
    assert status_of(call, case) == "New"
    assert refused(call, case, "unmerge")["code"] == "nothing_to_do"


def test_merge_with_a_case_of_somebody_else(user, admin, case, hidden) -> None:
    assert "error" in act(user, case, "merge", into=str(hidden.pk))
    assert status_of(admin, case) == "New"
    assert "error" in act(user, hidden, "merge", into=str(case.pk))
    assert status_of(admin, hidden) == "New"


ACTIONS = {
    "log_time": MORNING,
    "start_timer": {},
    "request_approval": {},
    "close_with_children": {"closed_on": "today"},
    "watch": {},
    "unmerge": {},
}


@pytest.mark.parametrize("action", ACTIONS)
def test_another_organisation(stranger, case, action) -> None:
    error = refused(stranger, case, action, **ACTIONS[action])
    assert error["code"] == "not_found"
    assert case.name not in str(error)
