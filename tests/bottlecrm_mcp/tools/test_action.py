import pytest

from demo_crm.access.row_security import org_context
from demo_crm.models import Account, Contact, Opportunity
from tests.bottlecrm_mcp.population import ENTITIES, NAMES, UNKNOWN_ID, ids, rest_record, unchanged

COMMENTED = [name for name in NAMES if ENTITIES[name].action("add_comment")]


def act(call, name, record, action, /, **params):
    arguments = {"params": params} if params else {}
    return call(
        "crm_action", entity=name, id=str(record.pk), action=action, confirm=True, **arguments
    )


def included(call, name, record, what):
    return call("crm_get", entity=name, id=str(record.pk), include=[what])[what]["records"]


def test_convert(user, api, alpha) -> None:
    lead = alpha.leads[2]
    result = act(user, "leads", lead, "convert")["result"]
    rest = api(alpha.user)
    assert rest_record(rest, "leads", lead.pk)["status"] == "converted"
    assert rest_record(rest, "accounts", result["account_id"])["name"] == lead.company_name
    assert rest_record(rest, "contacts", result["contact_id"])["email"] == lead.email
    deal = rest_record(rest, "opportunities", result["opportunity_id"])
    assert deal["stage"] == "QUALIFICATION"


def test_convert_twice(user, alpha) -> None:
    lead = alpha.leads[1]
    act(user, "leads", lead, "convert")
    with unchanged():
        assert act(user, "leads", lead, "convert")["error"]["code"] == "nothing_to_do"


def test_lead_without_email_is_not_converted(admin, alpha) -> None:
    lead = alpha.leads[4]
    assert lead.email is None
    with unchanged():
        assert act(admin, "leads", lead, "convert")["error"]["code"] == "invalid_value"


@pytest.mark.parametrize("name", COMMENTED)
def test_comments(user, alpha, name) -> None:
    record, other = getattr(alpha, name)[1], getattr(alpha, name)[2]
    added = act(user, name, record, "add_comment", comment="Called")["result"]
    assert added["comment"] == "Called"
    for action, params in (
        ("edit_comment", {"comment_id": added["id"], "comment": "Called back"}),
        ("delete_comment", {"comment_id": added["id"]}),
    ):
        with unchanged():
            # Not a comment of that record.
            assert act(user, name, other, action, **params)["error"]["code"] == "not_found"
        assert "result" in act(user, name, record, action, **params)
        texts = [each["comment"] for each in included(user, name, record, "comments")]
        assert texts == (["Called back"] if action == "edit_comment" else [])


def test_solutions_have_no_comments(user, alpha) -> None:
    error = act(user, "solutions", alpha.solutions[1], "add_comment", comment="x")["error"]
    assert error["code"] == "not_supported"
    assert "case" in error["message"]


def test_internal_note(user, alpha) -> None:
    case = alpha.cases[1]
    act(user, "cases", case, "add_comment", comment="For all")
    added = act(user, "cases", case, "add_comment", comment="Between us", is_internal=True)
    assert added["result"]["comment"] == "Between us"
    assert len(included(user, "cases", case, "comments")) == 1
    assert included(user, "cases", case, "internal_notes")[0]["comment"] == "Between us"


def test_close(user, alpha, mailoutbox, django_capture_on_commit_callbacks) -> None:
    case = alpha.cases[1]
    with django_capture_on_commit_callbacks(execute=True):
        record = act(user, "cases", case, "close", closed_on="today")["result"]["record"]
    assert record["status"] == "Closed"
    assert [each.to for each in mailoutbox] == [[alpha.contacts[1].email]]


def test_refused_close_mails_nobody(user, alpha, mailoutbox, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True), unchanged():
        error = act(user, "cases", alpha.cases[1], "close", closed_on="31.12.2026")["error"]
    assert error["code"] == "invalid_value"
    assert mailoutbox == []


def test_send(user, alpha, mailoutbox, django_capture_on_commit_callbacks) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        act(user, "invoices", alpha.invoices[1], "send")
    assert len(mailoutbox) == 1


def test_cancel(user, alpha) -> None:
    invoice = alpha.invoices[1]
    assert act(user, "invoices", invoice, "cancel")["result"]["record"]["status"] == "Cancelled"
    with unchanged():
        assert act(user, "invoices", invoice, "send")["error"]["code"] == "nothing_to_do"


def test_payments(user, alpha) -> None:
    invoice = alpha.invoices[2]
    act(user, "invoices", invoice, "add_line_item", name="Work", unit_price=100)
    payment = {"amount": 1, "payment_date": "today", "payment_method": "cash"}
    act(user, "invoices", invoice, "record_payment", **payment)
    (paid,) = included(user, "invoices", invoice, "payments")
    assert (paid["amount"], paid["payment_method"]) == ("1.00", "CASH")
    act(user, "invoices", invoice, "remove_payment", payment_id=paid["id"])
    assert included(user, "invoices", invoice, "payments") == []


def test_payment_of_another_invoice(user, alpha) -> None:
    one, other = alpha.invoices[1], alpha.invoices[2]
    act(user, "invoices", one, "add_line_item", name="Work", unit_price=100)
    act(
        user,
        "invoices",
        one,
        "record_payment",
        amount=1,
        payment_date="today",
        payment_method="CASH",
    )
    (paid,) = included(user, "invoices", one, "payments")
    with unchanged():
        answer = act(user, "invoices", other, "remove_payment", payment_id=paid["id"])
    assert answer["error"]["code"] == "not_found"


def test_duplicate(user, alpha) -> None:
    result = act(user, "invoices", alpha.invoices[1], "duplicate")["result"]
    assert result["invoice"]["id"] != str(alpha.invoices[1].pk)
    assert result["invoice"]["status"] == "Draft"
    assert "public_token" not in str(result)


def test_watch_and_solution(user, alpha) -> None:
    case = alpha.cases[1]
    assert "result" in act(user, "cases", case, "watch")
    assert "result" in act(user, "cases", case, "unwatch")
    name = "alphaseen title odd 1"
    assert "result" in act(user, "cases", case, "link_solution", solution_id=name)
    assert [each["title"] for each in included(user, "cases", case, "solutions")] == [name]
    assert "result" in act(user, "cases", case, "unlink_solution", solution_id=name)
    assert included(user, "cases", case, "solutions") == []


def test_publishing_is_for_administrators(user, admin, alpha) -> None:
    solution = alpha.solutions[2]
    admin("crm_update", entity="solutions", id=str(solution.pk), data={"status": "approved"})
    with unchanged():
        assert act(user, "solutions", solution, "publish")["error"]["code"] == "forbidden"
    record = act(admin, "solutions", solution, "publish")["result"]["record"]
    assert record["is_published"] is True


# Each needs access to the record itself: some of BottleCRM's routes check none.
@pytest.mark.parametrize("name", NAMES)
def test_actions_on_records_out_of_role(user, alpha, name) -> None:
    if name == "solutions":
        return
    record = getattr(alpha, name)[3]
    for action in ENTITIES[name].actions:
        params = {}
        for each in action.params:
            params[each.name] = {
                "into": "alphaseen name odd 1",
                "parent": "alphaseen name odd 1",
                "solution_id": "alphaseen title odd 1",
            }.get(each.name, UNKNOWN_ID)
        with unchanged():
            answer = act(user, name, record, action.name, **params)
            assert answer["error"]["code"] in ("forbidden", "not_found"), (action.name, answer)
            assert "alphahidden" not in str(answer)


@pytest.mark.parametrize(
    ("name", "action", "params", "code"),
    [
        ("leads", "covert", {}, "unknown_action"),
        ("leads", "convert", {"force": True}, "invalid_value"),
        ("leads", "add_comment", {}, "invalid_value"),
        ("leads", "add_comment", {"comment": ""}, "invalid_value"),
        ("leads", "add_comment", {"comment": "x" * 256}, "invalid_value"),
        ("leads", "add_comment", {"comment": "a\x00b"}, "invalid_arguments"),
        ("leads", "add_comment", {"text": "x"}, "invalid_value"),
        ("cases", "close", {}, "invalid_value"),
        ("cases", "close", {"closed_on": 5}, "invalid_value"),
        ("cases", "merge", {"into": "nobody knows"}, "invalid_value"),
        ("cases", "edit_comment", {"comment_id": "../../leads", "comment": "x"}, "not_found"),
        ("invoices", "record_payment", {"amount": "much"}, "invalid_value"),
        ("invoices", "remove_payment", {"payment_id": UNKNOWN_ID}, "not_found"),
    ],
)
def test_bad_input(user, alpha, name, action, params, code) -> None:
    with unchanged():
        error = act(user, name, getattr(alpha, name)[1], action, **params)["error"]
    assert error["code"] == code


def test_nearest_action_is_named(user, alpha) -> None:
    error = act(user, "leads", alpha.leads[1], "covert")["error"]
    assert "'convert'" in error["message"]


def test_merge(admin, alpha) -> None:
    one, other = alpha.cases[1], alpha.cases[2]
    result = act(admin, "cases", one, "merge", into=str(other.pk))["result"]
    assert result["record"]["status"] == "Duplicate"
    assert str(one.pk) not in ids(admin("crm_search", entity="cases")["records"])
    unmerged = act(admin, "cases", one, "unmerge")["result"]["record"]
    assert unmerged["status"] == one.status


def test_merge_into_itself(admin, alpha) -> None:
    case = alpha.cases[1]
    with unchanged():
        error = act(admin, "cases", case, "merge", into=str(case.pk))["error"]
    assert error["code"] == "invalid_value"
    assert "this is the case itself" in str(error)


def test_nothing_is_made_by_a_refused_conversion(admin, alpha, monkeypatch) -> None:
    from demo_crm.services import conversion

    monkeypatch.setattr(conversion, "_move_notes", lambda lead, account: 1 / 0)
    with org_context(alpha.org):
        before = [model.objects.count() for model in (Account, Contact, Opportunity)]
    with unchanged():
        error = act(admin, "leads", alpha.leads[1], "convert")["error"]
    assert error["code"] == "crm_error"
    with org_context(alpha.org):
        assert before == [model.objects.count() for model in (Account, Contact, Opportunity)]
