"""Marked effects: what can't be undone, deletes, or mails outsiders, waits for a person."""

import time

import pytest

from demo_crm.access.row_security import org_context
from tests.bottlecrm_mcp.population import everything, unchanged


def delete(name):
    return lambda made: ("crm_delete", {"entity": name, "id": str(getattr(made, name)[1].pk)})


def action(name, which, number=1, **params):
    def call(made):
        arguments = {"entity": name, "id": str(getattr(made, name)[number].pk), "action": which}
        return "crm_action", arguments | ({"params": params} if params else {})

    return call


def update(name, /, **data):
    return lambda made: (
        "crm_update",
        {"entity": name, "id": str(getattr(made, name)[1].pk), "data": data},
    )


def create(name, /, **data):
    return lambda made: ("crm_create", {"entity": name, "data": data})


MARKED = {
    **{
        f"delete {name}": delete(name)
        for name in ("leads", "contacts", "opportunities", "tasks", "cases", "solutions")
    },
    "convert": action("leads", "convert"),
    "converted by update": update("leads", status="Converted"),
    "created converted": create("leads", first_name="A", email="a@b.test", status="converted"),
    "close": action("cases", "close", closed_on="today"),
    "close with children": action("cases", "close_with_children", closed_on="today"),
    "closed by update": update("cases", status="closed", closed_on="today"),
    "merge": action("cases", "merge", into="alphaseen name even 4"),
    "send": action("invoices", "send"),
    "cancel": action("invoices", "cancel"),
}


@pytest.fixture(params=MARKED)
def marked(request, alpha):
    return MARKED[request.param](alpha)


def preview_of(answer):
    assert answer.get("confirmation_required") is True, answer
    assert answer["preview"]["this_will"]
    assert answer["preview"]["effects"]
    assert answer["confirmation"]
    return answer["preview"]


def test_unconfirmed(user, marked, mailoutbox) -> None:
    tool, arguments = marked
    with unchanged():
        for confirm in ({}, {"confirm": False}, {"confirmation": "x"}):
            preview_of(user(tool, **arguments, **confirm))
        preview_of(user(tool, **arguments, confirm=True, confirmation="x"))
    assert mailoutbox == []


def test_confirmed(user, marked) -> None:
    tool, arguments = marked
    before = everything()
    answer = user(tool, **arguments, confirm=True)
    assert "error" not in answer, answer
    assert "confirmation_required" not in answer
    assert everything() != before


@pytest.mark.parametrize("case", ["delete tasks", "convert", "closed by update", "send"])
def test_sealed(crm_of, alpha, case) -> None:
    tool, arguments = MARKED[case](alpha)
    call = sealed(crm_of(alpha.user))
    with unchanged():
        confirmation = preview_after(call(tool, **arguments, confirm=True))
    answer = call(tool, **arguments, confirm=True, confirmation=confirmation)
    assert "confirmation_required" not in answer
    assert "error" not in answer


def sealed(crm):
    from bottlecrm_mcp.tools.registry import Registry

    crm.sealed = True
    registry = Registry(crm.catalogue)
    return lambda tool, **arguments: registry.get(tool).call(crm, arguments)


def preview_after(answer) -> str:
    preview_of(answer)
    return answer["confirmation"]


# A fresh preview is the answer to each of these.
def test_confirmation_of_another_record(user, alpha) -> None:
    one, other = ({"entity": "tasks", "id": str(alpha.tasks[number].pk)} for number in (1, 4))
    confirmation = preview_after(user("crm_delete", **one))
    with unchanged():
        fresh = user("crm_delete", **other, confirm=True, confirmation=confirmation)
    assert preview_of(fresh)["record"]["id"] == other["id"]
    assert fresh["confirmation"] != confirmation


def test_confirmation_of_other_arguments(user, alpha) -> None:
    case = {"entity": "cases", "id": str(alpha.cases[1].pk), "action": "close"}
    confirmation = preview_after(user("crm_action", **case, params={"closed_on": "2026-01-01"}))
    with unchanged():
        later = {"closed_on": "2026-01-02"}
        preview_of(
            user("crm_action", **case, params=later, confirm=True, confirmation=confirmation)
        )


def test_confirmation_of_another_tool(user, alpha) -> None:
    lead = {"entity": "leads", "id": str(alpha.leads[1].pk)}
    confirmation = preview_after(user("crm_delete", **lead))
    with unchanged():
        preview_of(
            user("crm_action", **lead, action="convert", confirm=True, confirmation=confirmation)
        )


def test_confirmation_of_another_caller(user, admin, alpha) -> None:
    task = {"entity": "tasks", "id": str(alpha.tasks[1].pk)}
    confirmation = preview_after(user("crm_delete", **task))
    with unchanged():
        preview_of(admin("crm_delete", **task, confirm=True, confirmation=confirmation))


def test_confirmation_of_an_older_state(user, alpha) -> None:
    task = {"entity": "tasks", "id": str(alpha.tasks[1].pk)}
    confirmation = preview_after(user("crm_delete", **task))
    user("crm_update", **task, data={"title": "Important after all"})
    with unchanged():
        fresh = user("crm_delete", **task, confirm=True, confirmation=confirmation)
    assert preview_of(fresh)["record"]["name"] == "Important after all"


def test_confirmation_that_expired(user, alpha, monkeypatch) -> None:
    task = {"entity": "tasks", "id": str(alpha.tasks[1].pk)}
    confirmation = preview_after(user("crm_delete", **task))
    later = time.time() + 601
    monkeypatch.setattr("bottlecrm_mcp.tools.confirmation.seal.time.time", lambda: later)
    with unchanged():
        preview_of(user("crm_delete", **task, confirm=True, confirmation=confirmation))


def test_confirmation_outlives_a_rotation_of_keys(tools_of, alpha, settings) -> None:
    task = {"entity": "tasks", "id": str(alpha.tasks[1].pk)}
    confirmation = preview_after(tools_of(alpha.user)("crm_delete", **task))
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-" + settings.SECRET_KEY
    answer = tools_of(alpha.user)("crm_delete", **task, confirm=True, confirmation=confirmation)
    assert answer["deleted"] is True


def test_confirmation_of_a_mail_is_good_for_once(user, alpha) -> None:
    # Sending changes the invoice, so that only a second call with the same state shows it.
    pk = alpha.invoices[1].pk
    invoice = {"entity": "invoices", "id": str(pk), "action": "send"}
    confirmation = preview_after(user("crm_action", **invoice))
    with org_context(alpha.org):
        (before,) = type(alpha.invoices[1]).objects.filter(pk=pk).values()
    assert "result" in user("crm_action", **invoice, confirm=True, confirmation=confirmation)
    with org_context(alpha.org):
        type(alpha.invoices[1]).objects.filter(pk=pk).update(**before)
    with unchanged():
        preview_of(user("crm_action", **invoice, confirm=True, confirmation=confirmation))


def test_preview_says_who_is_mailed(user, alpha) -> None:
    tool, arguments = MARKED["close"](alpha)
    preview = preview_of(user(tool, **arguments))
    assert [each["id"] for each in preview["mailed_to"]["contacts"]] == [str(alpha.contacts[1].pk)]


def test_deleted_with_an_account(user, alpha) -> None:
    account = user("crm_create", entity="accounts", data={"name": "Acme"})["id"]
    for number in range(2):
        user("crm_create", entity="opportunities", data={"name": f"D{number}", "account": account})
    preview = preview_of(user("crm_delete", entity="accounts", id=account))
    assert preview["deleted_with_it"] == {"opportunities": 2}
    assert user("crm_delete", entity="accounts", id=account, confirm=True)["deleted"] is True


def test_value_that_the_record_has_needs_no_confirmation(user, alpha) -> None:
    closed = {"entity": "cases", "id": str(alpha.cases[1].pk)}
    user("crm_action", **closed, action="close", params={"closed_on": "today"}, confirm=True)
    answer = user("crm_update", **closed, data={"status": "Closed", "description": "Done"})
    assert answer["changed"]["description"]["after"] == "Done"


@pytest.mark.parametrize(
    ("part", "add", "remove"),
    [
        ("line_item_id", ("add_line_item", {"name": "Work", "unit_price": 5}), "remove_line_item"),
        ("comment_id", ("add_comment", {"comment": "Hello"}), "delete_comment"),
    ],
)
def test_parts_of_a_record(user, alpha, part, add, remove) -> None:
    deal = {"entity": "opportunities", "id": str(alpha.opportunities[1].pk)}
    name, params = add
    assert "result" in user("crm_action", **deal, action=name, params=params)
    (included,) = (each for each in ("line_items", "comments") if each[:4] == part[:4])
    listed = user("crm_get", entity="opportunities", id=deal["id"], include=[included])[included]
    pk = listed["records"][0]["id"]
    with unchanged():
        preview_of(user("crm_action", **deal, action=remove, params={part: pk}))
    before = everything()
    assert "result" in user("crm_action", **deal, action=remove, params={part: pk}, confirm=True)
    assert everything() != before
