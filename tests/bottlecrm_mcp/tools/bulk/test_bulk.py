"""Many records in one call: agreed to as a set, changed one by one, told as a whole."""

from typing import Any

import pytest
from django.db import transaction

from bottlecrm_mcp.gateway.base import GatewayError
from bottlecrm_mcp.gateway.in_process.gateway import InProcessGateway
from bottlecrm_mcp.gateway.shared import progress
from demo_crm.access.row_security import org_context
from demo_crm.models import Account, Case, Lead, Task
from tests.bottlecrm_mcp.population import UNKNOWN_ID


def ids(records: Any) -> list[str]:
    return [str(each.pk) for each in records]


def stored(alpha: Any, **wanted: Any) -> int:
    with org_context(alpha.org):
        return Task.objects.filter(title__startswith="Task ", **wanted).count()


def test_a_hundred_records(admin: Any, alpha: Any, tasks_of: Any, confirmed: Any) -> None:
    """All but one of whoever left are handed over, and whoever else is on a task stays on it."""
    tasks = tasks_of(100, assigned_to=[alpha.user, alpha.admin])
    heir = alpha.people[3]
    change = {
        "entity": "tasks",
        "filters": {"title__contains": "Task ", "assigned_to": alpha.user.user.email},
        "data": {
            "assigned_to": {"add": [heir.user.email], "remove": [alpha.user.user.email]},
            "priority": "High",
        },
    }
    reported: list[tuple[int, int, str]] = []
    with progress.reported_to(lambda *told: reported.append(told)):
        preview, answer = confirmed(admin, "crm_update", **change)
    assert preview["count"] == 100
    assert preview["this_will"] == "update 100 tasks"
    assert preview["not_named"] == "90 more"
    assert len(preview["records"]) == 10
    changes = preview["records"][0]["changes"]
    assert changes["priority"] == {"before": "Low", "after": "High"}
    assert {each["name"] for each in changes["assigned_to"]["before"]} == {
        "Alpha User",
        "Alpha Admin",
    }
    assert {each["name"] for each in changes["assigned_to"]["after"]} == {
        "Alpha Colleague1",
        "Alpha Admin",
    }
    assert {each["id"] for each in answer["done"]} == set(ids(tasks))
    assert answer["changed"] == {"priority": 100, "assigned_to": 100}
    assert not {"refused", "not_reached"} & answer.keys()
    assert reported[0] == (1, 100, "1 of 100 tasks done")
    assert reported[-1][0] == 100
    assert stored(alpha, priority="High", assigned_to=heir) == 100
    assert stored(alpha, assigned_to=alpha.user) == 0
    # What the answer says is what brings it all back.
    (call,) = answer["way_back"]["calls"]
    assert set(call["ids"]) == set(ids(tasks))
    assert call["expect"] == {"priority": "High"}
    confirmed(admin, "crm_update", **call)
    assert stored(alpha, priority="Low", assigned_to=alpha.user) == 100
    assert stored(alpha, assigned_to=heir) == 0


def test_some_are_refused(user: Any, alpha: Any, beta: Any, tasks_of: Any, confirmed: Any) -> None:
    """Hidden from this person, of another organisation, of another kind, the same one twice."""
    seen = tasks_of(3)
    hidden = tasks_of(10, assigned_to=[alpha.admin])
    others = [*ids(hidden), *ids(beta.tasks[:1]), *ids(alpha.leads[1:2]), UNKNOWN_ID]
    change = {
        "entity": "tasks",
        "ids": [*ids(seen), *others, str(seen[0].pk).upper()],
        "data": {"status": "Completed"},
    }
    preview, answer = confirmed(user, "crm_update", **change)
    assert preview["count"] == 3
    assert sum(each["count"] for each in preview["refused"]) == len(others)
    assert {each["id"] for each in answer["done"]} == set(ids(seen))
    reasons = {each["reason"]: [row["id"] for row in each["records"]] for each in answer["refused"]}
    assert reasons == {
        "You do not have permission to perform this action": ids(hidden),
        "It was not found.": others[10:],
    }
    assert stored(alpha, status="Completed") == 3


def test_nothing_can_be_changed(user: Any, admin: Any, alpha: Any, tasks_of: Any) -> None:
    hidden = tasks_of(2, assigned_to=[alpha.admin])
    asked = {"entity": "tasks", "ids": ids(hidden)}
    error = user("crm_update", **asked, data={"status": "Completed"})["error"]
    assert error["message"].startswith("All 2 tasks are refused: ")
    assert error["hint"] == "Nothing was changed."
    held = {"entity": "accounts", "filters": {"id": ids(alpha.accounts[:1])}}
    error = admin("crm_delete", **held)["error"]
    assert error["message"].startswith("The account is refused: The CRM keeps it ")
    # The fault is the call's, and said once.
    wrong = user("crm_update", entity="tasks", ids=ids(tasks_of(2)), data={"status": "Gone"})
    assert "Choices: " in wrong["error"]["message"]


def test_record_that_would_lead_to_itself(admin: Any, alpha: Any, confirmed: Any) -> None:
    """It is refused in the preview, the others are not; alone it gets no preview."""
    one, other, third = ids(alpha.cases[:3])
    asked = {"entity": "cases", "ids": [one, other, third]}
    preview, answer = confirmed(
        admin, "crm_action", **asked, action="merge", params={"into": other}
    )
    refused = {"reason": "Into: this is the case itself. Give another one.", "count": 1}
    assert preview["count"] == 2
    assert [{**each, "records": []} for each in preview["refused"]] == [{**refused, "records": []}]
    assert {each["id"] for each in answer["done"]} == {one, third}
    alone = {"entity": "cases", "id": other}
    for call in (
        admin("crm_action", **alone, action="merge", params={"into": other}),
        admin("crm_action", **alone, action="link_parent", params={"parent": other}),
        admin("crm_update", **alone, data={"parent": other}),
    ):
        assert "this is the case itself" in call["error"]["message"]


@pytest.mark.parametrize("case", ["changed", "one more", "one fewer", "other data", "no seal"])
def test_what_was_not_agreed_to(
    admin: Any, alpha: Any, tasks_of: Any, confirmed: Any, case: str
) -> None:
    tasks = tasks_of(3)
    change: dict[str, Any] = {
        "entity": "tasks",
        "filters": {"title__contains": "Task 0", "priority": "Low"},
        "data": {"status": "Completed"},
    }
    seal = {"confirm": True, "confirmation": admin("crm_update", **change)["confirmation"]}
    with org_context(alpha.org):
        if case == "changed":
            Task.objects.filter(pk=tasks[1].pk).update(description="Not this one!")
        elif case == "one fewer":
            Task.objects.filter(pk=tasks[1].pk).update(priority="High")
    if case == "one more":
        tasks_of(1)
    elif case == "other data":
        change["data"] = {"status": "In Progress"}
    elif case == "no seal":
        del seal["confirmation"]
    again = admin("crm_update", **change, **seal)
    assert again["confirmation_required"]
    assert again["preview"]["count"] == {"one more": 4, "one fewer": 2}.get(case, 3)
    assert stored(alpha, status="New") == 3 + (case == "one more")


def test_one_is_changed_while_others_are_written(
    admin: Any, alpha: Any, tasks_of: Any, confirmed: Any, monkeypatch: Any
) -> None:
    tasks = tasks_of(4)
    write = InProcessGateway.write
    written: list[Any] = []

    def interrupted(self: Any, *given: Any, **options: Any) -> Any:
        written.append(given)
        if len(written) == 2:
            # In a transaction of its own, as another person's would be.
            with org_context(alpha.org), transaction.atomic():
                Task.objects.filter(pk=tasks[3].pk).update(description="I am at it")
        return write(self, *given, **options)

    monkeypatch.setattr(InProcessGateway, "write", interrupted)
    change = {"entity": "tasks", "ids": ids(tasks), "data": {"status": "Completed"}}
    _, answer = confirmed(admin, "crm_update", **change)
    assert {each["id"] for each in answer["done"]} == set(ids(tasks[:3]))
    (group,) = answer["refused"]
    assert group["reason"] == "It was changed since the preview."
    assert [each["name"] for each in group["records"]] == ["Task 003"]
    assert stored(alpha, status="New") == 1


@pytest.mark.parametrize("fault", ["limit", "killed", "late"])
def test_stopped_in_the_middle_and_gone_on(
    admin: Any, alpha: Any, tasks_of: Any, confirmed: Any, monkeypatch: Any, fault: str
) -> None:
    """The same key goes on with what is left, without another question, and does nothing twice."""
    tasks_of(6)
    write = InProcessGateway.write
    written: list[Any] = []

    def interrupted(self: Any, *given: Any, **options: Any) -> Any:
        if len(written) == 3 and fault == "limit":
            raise GatewayError("limit_reached", "3 of 3 writes today. Nothing was changed.")
        if len(written) == 3 and fault == "killed":
            raise SystemExit
        written.append(given)
        return write(self, *given, **options)

    def seconds_left(self: Any) -> float:
        return 30.0 if len(written) < 3 or fault != "late" else 1.0

    change = {
        "entity": "tasks",
        "filters": {"title__contains": "Task 0", "status": "New"},
        "data": {"status": "Completed"},
        "idempotency_key": "k",
    }
    shown = admin("crm_update", **change)
    seal = {"confirm": True, "confirmation": shown["confirmation"]}
    with monkeypatch.context() as patch:
        patch.setattr(InProcessGateway, "write", interrupted)
        patch.setattr(InProcessGateway, "seconds_left", seconds_left)
        if fault == "killed":
            with pytest.raises(SystemExit):
                admin("crm_update", **change, **seal)
        else:
            first = admin("crm_update", **change, **seal)
            assert len(first["done"]) == 3
            left = first["not_reached"]
            told = {"limit": "3 of 3 writes today", "late": "The time for one call is over"}[fault]
            assert told in left["reason"]
            assert left["count"] == 3
            assert "same idempotency_key" in left["next"]
    assert stored(alpha, status="Completed") == 3
    assert admin("crm_update", **change)["preview"]["done_before"] == 3
    second = admin("crm_update", **change, **seal)
    assert (second["count"], second["done_before"]) == (6, 3)
    assert "repeated" not in second
    assert stored(alpha, status="Completed") == 6
    # Each record is either in a call that brings it back, or said to be in none.
    (back,), left = second["way_back"]["calls"], second["way_back"]["not_covered"]
    assert (len(back["ids"]), len(left["ids"])) == (3, 3)
    assert {*back["ids"], *left["ids"]} == {each["id"] for each in second["done"]}
    assert "An earlier call under this key" in left["reason"]
    third = admin("crm_update", **change)
    assert (third["count"], third["repeated"]) == (6, True)
    assert "calls" not in third["way_back"]
    assert len(third["way_back"]["not_covered"]["ids"]) == 6
    with pytest.raises(GatewayError, match="used for another call"):
        admin("crm_update", **{**change, "data": {"status": "New"}})
    with pytest.raises(GatewayError, match="used for another call"):
        admin("crm_create", entity="tasks", data={"title": "x"}, idempotency_key="k")


def test_gone_on_after_another_change(
    admin: Any, alpha: Any, tasks_of: Any, monkeypatch: Any
) -> None:
    """Of what is left one was changed meanwhile: that is asked about anew."""
    tasks = tasks_of(3)
    write = InProcessGateway.write
    written: list[Any] = []

    def interrupted(self: Any, *given: Any, **options: Any) -> Any:
        written.append(given)
        if len(written) == 2:
            raise GatewayError("unavailable", "Gone.")
        return write(self, *given, **options)

    change = {
        "entity": "tasks",
        "ids": ids(tasks),
        "data": {"status": "Completed"},
        "idempotency_key": "k",
    }
    seal = {"confirm": True, "confirmation": admin("crm_update", **change)["confirmation"]}
    with monkeypatch.context() as patch:
        patch.setattr(InProcessGateway, "write", interrupted)
        admin("crm_update", **change, **seal)
    with org_context(alpha.org):
        Task.objects.filter(pk=tasks[2].pk).update(description="Wait")
    again = admin("crm_update", **change, **seal)
    assert (again["preview"]["count"], again["preview"]["done_before"]) == (2, 1)
    assert stored(alpha, status="Completed") == 1


def test_one_id_and_too_many(admin: Any, alpha: Any, tasks_of: Any) -> None:
    tasks = tasks_of(101)
    one = admin("crm_update", entity="tasks", ids=ids(tasks[:1]) * 2, data={"status": "Completed"})
    assert one["changed"]["status"] == {"before": "New", "after": "Completed"}
    title = {"title__contains": "Task "}
    error = admin("crm_delete", entity="tasks", filters=title)["error"]
    assert error["code"] == "too_large"
    assert error["message"].startswith("101 tasks match these filters")
    assert "Narrow" in error["hint"]
    none = admin("crm_delete", entity="tasks", filters={"title": "Nobody's"})["error"]
    assert none["code"] == "not_found"
    some = ids(tasks[:2])
    for which in ({}, {"ids": some, "filters": title}, {"id": some[0], "filters": {}}):
        error = admin("crm_delete", entity="tasks", **which)["error"]
        assert error["message"] == "Give one of `id`, `ids` and `filters`."
    assert "at least one" in admin("crm_delete", entity="tasks", filters={})["error"]["message"]
    error = admin("crm_delete", entity="tasks", ids=ids(tasks))["error"]
    assert error["message"] == "ids: At most 100 are taken, and 101 were given."
    # Who is asked for one by filters is asked all the same: which it is nobody has said.
    found = admin("crm_update", entity="tasks", filters={"title": "Task 001"}, data={"title": "x"})
    assert found["preview"]["count"] == 1


def test_deleted_together(admin: Any, alpha: Any, tasks_of: Any, confirmed: Any) -> None:
    tasks = tasks_of(3)
    preview, answer = confirmed(admin, "crm_delete", entity="tasks", ids=ids(tasks))
    assert preview["this_will"].startswith("delete 3 tasks; for each of them: delete the task")
    assert preview["way_back"] == "there is none"
    assert "cannot be undone" in preview["effects"]
    assert len(answer["done"]) == 3
    assert "way_back" not in answer
    assert stored(alpha) == 0
    with org_context(alpha.org):
        accounts = [Account.objects.create(org=alpha.org, name=f"New {each}") for each in "abc"]
        for account in accounts[:2]:
            Case.objects.create(
                org=alpha.org, name="Broken", status="New", priority="Low", account=account
            )
    held = alpha.accounts[0]
    shown = admin("crm_delete", entity="accounts", ids=ids([*accounts, held]))["preview"]
    assert (shown["count"], shown["deleted_with_it"]) == (3, {"cases": 2})
    assert shown["refused"][0]["reason"].startswith("The CRM keeps it because of its ")
    tags = ids(alpha.tags[:2])
    preview, answer = confirmed(admin, "crm_delete", entity="tags", ids=tags)
    assert preview["way_back"] == answer["way_back"] == "crm_action restore"
    preview = confirmed(admin, "crm_action", entity="tags", ids=tags, action="restore")[1]
    assert len(preview["done"]) == 2


def test_cases_closed_together(admin: Any, alpha: Any, confirmed: Any) -> None:
    """Everyone who is mailed is named, and each state is its own."""
    with org_context(alpha.org):
        Case.objects.filter(pk=alpha.cases[1].pk).update(status="Closed")
        Case.objects.filter(pk__in=ids(alpha.cases[2:5])).update(status="New")
    closed = {
        "entity": "cases",
        "ids": ids(alpha.cases[2:5]),
        "action": "close",
        "params": {"closed_on": "today"},
    }
    preview, answer = confirmed(admin, "crm_action", **closed)
    assert preview["count"] == 3
    assert preview["mailed_to"]
    assert "e-mails people outside the organisation" in preview["effects"]
    assert "; for each of them: close the case" in preview["this_will"]
    assert len(answer["done"]) == 3
    assert answer["action"] == "close"
    assert answer["way_back"]
    with org_context(alpha.org):
        assert Case.objects.filter(pk__in=closed["ids"], status="Closed").count() == 3
    # What the CRM computes for each case is in no list, and did not change.
    urgent = {"entity": "cases", "ids": closed["ids"], "data": {"description": "Look again"}}
    assert confirmed(admin, "crm_update", **urgent)[1]["changed"] == {"description": 3}


def test_leads_made_together(admin: Any, user: Any, alpha: Any, confirmed: Any) -> None:
    old = alpha.leads[1]
    with org_context(alpha.org):
        Lead.objects.filter(pk=old.pk).update(phone="+49 40 600 1234")
    new = [
        {"first_name": "Ann", "last_name": "Leeuw", "phone": "040 6001234"},
        {"first_name": "Bo", "last_name": "Berg", "email": "bo@berg.test", "assigned_to": "me"},
        {"first_name": "BO", "last_name": "Berg", "email": "bo@work.test"},
        {"first_name": "Cy", "last_name": "Young", "status": "no such status"},
    ]
    asked = {"entity": "leads", "records": new, "idempotency_key": "fair"}
    preview, answer = confirmed(admin, "crm_create", **asked)
    assert preview["count"] == 3
    assert [each["name"] for each in preview["records"]] == ["Ann Leeuw", "Bo Berg", "BO Berg"]
    assert preview["refused"][0]["records"] == ["number 4"]
    ann, bob = preview["possible_duplicates"]
    assert (ann["name"], ann["like"][0]["id"]) == ("Ann Leeuw", str(old.pk))
    same = ["first_name", "last_name"]
    assert (bob["name"], bob["like"][0]) == ("BO Berg", {"name": "Bo Berg", "same": same})
    assert [each["name"] for each in answer["done"]] == ["Ann Leeuw", "Bo Berg", "BO Berg"]
    assert all(each["id"] for each in answer["done"])
    again = admin("crm_create", **asked)
    assert (again["count"], again["repeated"]) == (3, True)
    assert {each["id"] for each in again["done"]} == {each["id"] for each in answer["done"]}
    long = [{"last_name": "x" * 256, "first_name": "Al"}] * 3
    wrong = admin("crm_create", entity="leads", records=long)["error"]
    assert "fields" not in wrong, "the reason is one"
    assert "at most 255 characters" in wrong["message"]
    single = user("crm_create", entity="leads", records=[{**new[1], "email": "b@berg.test"}])
    assert single["record"]["email"] == "b@berg.test"
    both = user("crm_create", entity="leads", records=new, data=new[0])
    assert both["error"]["message"] == "Give either `data` or `records`."


def test_scopes_are_those_of_one_record(tools_of: Any, alpha: Any, tasks_of: Any) -> None:
    asked = {"entity": "tasks", "ids": ids(tasks_of(2))}
    reads = tools_of(alpha.admin, scopes=["tasks:read"])
    writes = tools_of(alpha.admin, scopes=["tasks:write"])
    for call in (reads, writes):
        assert call("crm_delete", **asked)["error"]["code"] == "insufficient_scope"
        update = call("crm_update", **asked, data={"status": "Completed"})
        assert update["error"]["code"] == "insufficient_scope"


def test_preview_of_cases_merged_together(admin: Any, alpha: Any) -> None:
    merged = {"entity": "cases", "ids": ids(alpha.cases[1:3]), "action": "merge"}
    preview = admin("crm_action", **merged, params={"into": str(alpha.cases[3].pk)})["preview"]
    assert preview["this_will"].startswith("merge 2 cases; for each of them: move the comments")
    # None of them is refused.
    assert preview["untrusted"] == ["records"]
