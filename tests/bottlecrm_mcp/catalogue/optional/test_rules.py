"""What is special about one of the entities that are served on request."""

import pytest
from django.core import mail

from demo_crm.access.row_security import org_context
from demo_crm.models import TimeEntry
from tests.bottlecrm_mcp.population import UNKNOWN_ID, unchanged
from tests.whole_crm.models import BoardMember, BoardTask, Document, Estimate

OFFER = {
    "title": "Second robot arm",
    "client_email": "buyer@customer.test",
    "line_items": [{"name": "Arm", "quantity": 2, "unit_price": "50"}],
}


def offer(alpha, **more):
    parties = {"account": str(alpha.accounts[1].pk), "contact": str(alpha.contacts[1].pk)}
    return {**OFFER, **parties, **more}


def confirmed(call, tool, **arguments):
    """The preview, and the result after it was confirmed."""
    shown = call(tool, **arguments)
    assert shown["confirmation_required"], shown
    return shown["preview"], call(
        tool, **arguments, confirm=True, confirmation=shown["confirmation"]
    )


def by_role(alpha, name, user):
    """The id of a record that this person made."""
    return next(str(each.pk) for each in getattr(alpha, name) if each.created_by == user.user)


def test_estimate_is_sent_once_confirmed(
    admin, alpha, django_capture_on_commit_callbacks, mailoutbox
) -> None:
    made = admin("crm_create", entity="estimates", data=offer(alpha))
    assert made["record"]["total_amount"] == "100.00"
    send = {"entity": "estimates", "id": made["id"], "action": "send"}
    with django_capture_on_commit_callbacks(execute=True):
        preview, sent = confirmed(admin, "crm_action", **send)
    assert preview["mailed_to"]["client_email"] == "buyer@customer.test"
    assert sent["result"]["record"]["status"] == "Sent"
    assert [message.to for message in mailoutbox] == [["buyer@customer.test"]]


def test_estimate_becomes_an_invoice(admin, alpha) -> None:
    made = admin("crm_create", entity="estimates", data=offer(alpha))
    convert = {"entity": "estimates", "id": made["id"], "action": "convert"}
    preview, converted = confirmed(admin, "crm_action", **convert)
    assert "draft invoice" in preview["this_will"]
    invoice = converted["result"]["invoice"]
    assert (invoice["status"], invoice["total_amount"]) == ("Draft", "100.00")
    record = admin("crm_get", entity="estimates", id=made["id"])["record"]
    assert record["status"] == "Accepted"
    assert record["converted_to_invoice"] == {
        "id": invoice["id"],
        "name": invoice["invoice_number"],
    }
    found = admin("crm_search", entity="estimates", filters={"converted_to_invoice": invoice["id"]})
    assert [row["id"] for row in found["records"]] == [made["id"]]


def test_status_of_an_estimate_is_not_written(admin, alpha) -> None:
    pk = str(alpha.estimates[1].pk)
    answer = admin("crm_update", entity="estimates", id=pk, data={"status": "Accepted"})
    assert answer["error"]["fields"] == {"status": "Is read-only."}


def test_account_with_an_estimate_is_kept(settings, tools_of, alpha) -> None:
    """Whether estimates are served or not."""
    settings.BOTTLECRM_MCP = {**settings.BOTTLECRM_MCP, "ENTITIES": ()}
    call = tools_of(alpha.admin)
    account = call("crm_create", entity="accounts", data={"name": "Fresh Ltd"})["id"]
    with org_context(alpha.org):
        Estimate.objects.create(title="Held", account_id=account, org=alpha.org)
    answer = call("crm_delete", entity="accounts", id=account, confirm=True)
    assert "1 estimate." in answer["error"]["message"]


@pytest.mark.parametrize("tool", ["crm_create", "crm_update"])
def test_mailing_by_itself_is_confirmed(admin, alpha, tool) -> None:
    plain = admin("crm_create", entity="recurring_invoices", data=offer(alpha))
    assert "record" in plain
    creates = tool == "crm_create"
    data = offer(alpha, auto_send=True) if creates else {"auto_send": True}
    arguments = {"entity": "recurring_invoices", "data": data}
    if not creates:
        arguments["id"] = plain["id"]
    with unchanged():
        shown = admin(tool, **arguments)
    assert "e-mail every invoice" in shown["preview"]["this_will"]
    _, done = confirmed(admin, tool, **arguments)
    told = done["record"]["auto_send"] if creates else done["changed"]["auto_send"]["after"]
    assert told is True


def test_resuming_a_schedule_that_mails_is_confirmed(admin, alpha) -> None:
    data = offer(alpha, auto_send=True, is_active=False)
    _, made = confirmed(admin, "crm_create", entity="recurring_invoices", data=data)
    resume = {"entity": "recurring_invoices", "id": made["id"], "data": {"is_active": True}}
    with unchanged():
        assert admin("crm_update", **resume)["confirmation_required"]

    quiet = admin("crm_create", entity="recurring_invoices", data=offer(alpha, is_active=False))
    done = admin("crm_update", **{**resume, "id": quiet["id"]})
    assert done["changed"] == {"is_active": {"before": False, "after": True}}


def test_interval_that_the_crm_can_not_count_with(admin, alpha) -> None:
    data = {**offer(alpha), "frequency": "CUSTOM", "custom_days": 3_661}
    answer = admin("crm_create", entity="recurring_invoices", data=data)
    assert answer["error"]["fields"] == {"custom_days": "Must be at most 3660."}
    described = admin("crm_describe", entity="recurring_invoices")
    (interval,) = (each for each in described["fields"] if each["name"] == "custom_days")
    assert interval["maximum"] == 3_660


def test_pause_is_no_toggle(admin, alpha) -> None:
    made = admin("crm_create", entity="recurring_invoices", data=offer(alpha))
    pause = {"entity": "recurring_invoices", "id": made["id"], "action": "pause"}
    assert admin("crm_action", **pause)["result"]["record"]["is_active"] is False
    assert admin("crm_action", **pause)["error"]["code"] == "nothing_to_do"
    paused = admin("crm_get", entity="recurring_invoices", id=made["id"])
    assert paused["record"]["is_active"] is False


def test_products_and_goals_are_changed_by_administrators(admin, user, alpha) -> None:
    product = {"name": "Gripper", "sku": "G-1", "price": "9.5"}
    goal = {
        "name": "Spring",
        "goal_type": "revenue",
        "target_value": 1000,
        "period_type": "CUSTOM",
        "period_start": "2027-01-01",
        "period_end": "2027-03-31",
        "assigned_to": "alpha.user@example.com",
    }
    for name, data in (("products", product), ("goals", goal)):
        with unchanged():
            assert user("crm_create", entity=name, data=data)["error"]["code"] == "forbidden"
        made = admin("crm_create", entity=name, data=data)
        assert made["id"] == made["record"]["id"], "also where the API tells no id"
        with unchanged():
            changed = {"entity": name, "id": made["id"], "data": {"name": "x"}}
            assert user("crm_update", **changed)["error"]["code"] == "forbidden"
    assert user("crm_get", entity="goals", id=made["id"])["record"]["status"]


def test_second_product_of_an_sku(admin, alpha) -> None:
    data = {"name": "Gripper", "sku": "G-1"}
    admin("crm_create", entity="products", data=data)
    with unchanged():
        again = admin("crm_create", entity="products", data={**data, "name": "Other"})
    assert again["error"]["code"] == "crm_error"


def test_documents_keep_their_shares(admin, alpha) -> None:
    pk = str(alpha.documents[1].pk)
    shared = {"shared_to": ["alpha.user@example.com"], "teams": ["Alpha team 0"]}
    admin("crm_update", entity="documents", id=pk, data=shared)
    changed = admin("crm_update", entity="documents", id=pk, data={"title": "Prices"})["changed"]
    assert list(changed) == ["title"]
    with org_context(alpha.org):
        document = Document.objects.get(pk=pk)
        assert [each.user.email for each in document.shared_to.all()] == ["alpha.user@example.com"]


def test_documents_are_not_uploaded(admin, alpha) -> None:
    with unchanged():
        answer = admin("crm_create", entity="documents", data={"title": "Prices"})
    assert answer["error"]["code"] == "not_supported"
    assert "Upload it in the CRM" in answer["error"]["message"]


@pytest.fixture
def board(admin, alpha):
    made = admin("crm_create", entity="boards", data={"name": "Launch"})
    columns = {"entity": "boards", "id": made["id"], "include": ["columns"]}
    return made["id"], [row["id"] for row in admin("crm_get", **columns)["columns"]["records"]]


def on_board(call, board, action, **params):
    return call("crm_action", entity="boards", id=board, action=action, params=params)


def test_tasks_of_a_board(admin, alpha, board) -> None:
    pk, (first, second, _) = board
    task = on_board(admin, pk, "add_task", column_id=first, title="Poster")["result"]["id"]
    people = ["me", "alpha.user@example.com"]
    assigned = on_board(admin, pk, "update_task", task_id=task, assigned_to=people)
    assert {each["name"] for each in assigned["result"]["assigned_to"]} == {
        "Alpha Admin",
        "Alpha User",
    }
    on_board(admin, pk, "move_task", task_id=task, column=second, order=0)
    shown = admin("crm_get", entity="boards", id=pk, include=["tasks", "members"])
    assert [(row["id"], row["column"]) for row in shown["tasks"]["records"]] == [(task, second)]
    assert [row["role"] for row in shown["members"]["records"]] == ["owner"]

    delete = {"entity": "boards", "id": pk, "action": "delete_task", "params": {"task_id": task}}
    confirmed(admin, "crm_action", **delete)
    assert not admin("crm_get", entity="boards", id=pk, include=["tasks"])["tasks"]["total"]


def test_parts_of_another_board(admin, alpha, beta, board) -> None:
    pk, (first, *_) = board
    task = on_board(admin, pk, "add_task", column_id=first, title="Poster")["result"]["id"]
    other = admin("crm_create", entity="boards", data={"name": "Other"})["id"]
    with unchanged():
        for action, params in (
            ("add_task", {"column_id": first, "title": "x"}),
            ("update_task", {"task_id": task, "title": "x"}),
            ("move_task", {"task_id": task, "column": first}),
            ("delete_task", {"task_id": task}),
        ):
            answer = on_board(admin, other, action, **params)
            assert answer["error"]["code"] == "not_found", action
        for person in (str(beta.user.pk), UNKNOWN_ID, "beta.user@example.com"):
            answer = on_board(admin, pk, "update_task", task_id=task, assigned_to=[person])
            assert "error" in answer, "the CRM would leave it out without a word"


def test_a_member_may_not_manage(admin, user, alpha, board) -> None:
    pk, (first, *_) = board
    assert user("crm_get", entity="boards", id=pk)["error"]["code"] == "not_found"
    with org_context(alpha.org):
        BoardMember.objects.create(board_id=pk, profile=alpha.user, org=alpha.org)
    on_board(user, pk, "add_task", column_id=first, title="Mine")
    with org_context(alpha.org):
        assert BoardTask.objects.filter(title="Mine").exists()
    with unchanged():
        for answer in (
            user("crm_update", entity="boards", id=pk, data={"name": "x"}),
            user("crm_delete", entity="boards", id=pk, confirm=True),
            user(
                "crm_action",
                entity="boards",
                id=pk,
                action="add_column",
                params={"name": "x"},
                confirm=True,
            ),
        ):
            assert answer["error"]["code"] == "forbidden"


def test_macro_is_rendered_for_a_case_in_reach_only(admin, user, alpha, beta) -> None:
    text = {"title": "Hello", "body": "About %case_subject%", "scope": "org"}
    macro = admin("crm_create", entity="macros", data=text)["id"]

    def render(call, case):
        params = {"case": case}
        return call("crm_action", entity="macros", id=macro, action="render", params=params)

    seen = alpha.cases[1]
    assert render(user, str(seen.pk))["result"]["rendered_body"] == f"About {seen.name}"
    with unchanged():
        for case in (alpha.cases[3], beta.cases[1]):
            assert "error" in render(user, str(case.pk)), "the CRM's own route would not ask"


def test_macro_of_the_organisation_is_switched_off(admin, alpha) -> None:
    for scope, deleted in (("org", False), ("personal", True)):
        text = {"title": scope, "body": "Hello", "scope": scope}
        macro = admin("crm_create", entity="macros", data=text)["id"]
        preview, answer = confirmed(admin, "crm_delete", entity="macros", id=macro)
        assert "switched off" in preview["this_will"]
        assert (answer["deleted"], "kept" in answer) == (deleted, not deleted)


def test_timesheet(admin, user, alpha, beta) -> None:
    case = str(alpha.cases[1].pk)
    hour = {"started_at": "2026-03-02T09:00", "ended_at": "2026-03-02T10:30"}
    data = {"case": case, **hour, "description": "Looked into it", "billable": True}
    made = user("crm_create", entity="time_entries", data=data)
    assert made["record"]["duration_minutes"] == 90
    march = {"started_at__gte": "2026-03-01", "started_at__lte": "2026-03-31"}
    mine = user("crm_search", entity="time_entries", filters=march)
    assert [row["id"] for row in mine["records"]] == [made["id"]]

    spent = {"group_by": ["case"], "measures": ["sum:duration_minutes"], "filters": march}
    (group,) = user("crm_summarize", entity="time_entries", **spent)["groups"]
    assert (group["case"]["id"], group["sum:duration_minutes"]) == (case, 90)

    own = admin("crm_search", entity="time_entries", filters=march)
    theirs = {**march, "profile": "alpha.user@example.com"}
    assert own["total"] == 0
    assert admin("crm_search", entity="time_entries", filters=theirs)["total"] == 1
    other = {**march, "profile": "alpha.admin@example.com"}
    refused = user("crm_search", entity="time_entries", filters=other)
    assert refused["error"]["code"] == "forbidden"

    longer = {"ended_at": "2026-03-02T11:00"}
    changed = user("crm_update", entity="time_entries", id=made["id"], data=longer)["changed"]
    assert changed["duration_minutes"] == {"before": 90, "after": 120}


def test_timesheet_says_what_it_leaves_out(user, alpha) -> None:
    assert "last year" in " ".join(user("crm_search", entity="time_entries")["notes"])
    century = {"started_at__gte": "1926-01-01"}
    answer = user("crm_search", entity="time_entries", filters=century)
    assert "1100 days at most" in answer["error"]["message"]


def test_time_on_a_case_out_of_reach(user, alpha, beta) -> None:
    """The CRM's own route would not ask."""
    hour = {"started_at": "2026-03-02T09:00", "ended_at": "2026-03-02T10:30"}
    with unchanged():
        for case in (alpha.cases[3], beta.cases[1]):
            data = {"case": str(case.pk), **hour, "description": "Smuggled"}
            assert "error" in user("crm_create", entity="time_entries", data=data)


def test_entry_of_a_colleague(user, alpha) -> None:
    with org_context(alpha.org):
        entry = TimeEntry.objects.filter(profile=alpha.admin).first()
    assert entry is not None
    stop = {"entity": "time_entries", "id": str(entry.pk), "action": "stop"}
    with unchanged():
        assert user("crm_action", **stop)["error"]["code"] == "not_found"
    assert mail.outbox == []
