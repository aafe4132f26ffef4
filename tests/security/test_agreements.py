"""What a person agreed to is bound to the records that were meant, and to what goes with them."""

from dataclasses import replace
from typing import Any

import pytest
from django.utils import timezone

from bottlecrm_mcp.gateway.in_process import dependents
from bottlecrm_mcp.protocol.elicitation import ask
from bottlecrm_mcp.tools.confirmation.confirm import ConfirmationRequired
from bottlecrm_mcp.tools.crm import FormAnswer
from bottlecrm_mcp.tools.registry import Registry
from demo_crm.access.row_security import org_context
from demo_crm.models import Account, Attachment, Case, Comment, Opportunity
from tests.agent import form_text


def agreed_to(call: Any, tool: str, asked: dict[str, Any]) -> dict[str, Any]:
    """The call as it comes back after a person has seen its preview."""
    return {**asked, "confirm": True, "confirmation": call(tool, **asked)["confirmation"]}


def test_name_that_means_another_record_by_now(tools_of: Any, alpha: Any) -> None:
    call, (case, meant, other) = tools_of(alpha.admin), alpha.cases[1:4]
    with org_context(alpha.org):
        Case.objects.filter(pk=meant.pk).update(name="Printer on fire")
    asked = {
        "entity": "cases",
        "id": str(case.pk),
        "action": "merge",
        "params": {"into": "Printer on fire"},
    }
    agreed = agreed_to(call, "crm_action", asked)
    with org_context(alpha.org):
        Case.objects.filter(pk=meant.pk).update(name="Another name")
        Case.objects.filter(pk=other.pk).update(name="Printer on fire")
    answer = call("crm_action", **agreed)
    assert answer["confirmation_required"]
    assert answer["preview"]["params"]["into"]["id"] == str(other.pk)


def test_update_and_create_show_whom_a_name_means(tools_of: Any, alpha: Any) -> None:
    call, invoice, (first, second) = tools_of(alpha.admin), alpha.invoices[1], alpha.accounts[1:3]
    with org_context(alpha.org):
        type(invoice).objects.filter(pk=invoice.pk).update(status="Sent")
        Account.objects.filter(pk=first.pk).update(name="Meyer")
    asked = {"entity": "invoices", "id": str(invoice.pk), "data": {"account": "Meyer"}}
    preview = call("crm_update", **asked)["preview"]
    assert preview["data"]["account"] == {"id": str(first.pk), "name": "Meyer"}
    agreed = agreed_to(call, "crm_update", asked)
    with org_context(alpha.org):
        Account.objects.filter(pk=first.pk).update(name="Mayer")
        Account.objects.filter(pk=second.pk).update(name="Meyer")
    assert call("crm_update", **agreed)["confirmation_required"]


def test_form_tells_two_of_one_name_apart(crm_of: Any, alpha: Any) -> None:
    crm, (case, into) = crm_of(alpha.admin), alpha.cases[1:3]
    tool = Registry(crm.catalogue).get("crm_action")
    assert tool is not None
    arguments = {"entity": "cases", "id": str(case.pk), "action": "merge"}
    with pytest.raises(ConfirmationRequired) as raised:
        tool.call(replace(crm, form=FormAnswer()), {**arguments, "params": {"into": str(into.pk)}})
    message = form_text(ask(raised.value))
    assert f'"{into.name}" (id {str(into.pk)[:8]})' in message


def test_more_that_would_be_deleted_with_it(tools_of: Any, alpha: Any) -> None:
    call = tools_of(alpha.admin)
    with org_context(alpha.org):
        account = Account.objects.create(org=alpha.org, name="Acme")
        deal = Opportunity.objects.create(org=alpha.org, name="First", account=account)
    asked = {"entity": "accounts", "id": str(account.pk)}
    agreed = agreed_to(call, "crm_delete", asked)
    with org_context(alpha.org):
        # As many as before.
        Opportunity.objects.create(org=alpha.org, name="Second", account=account)
        deal.delete()
    assert call("crm_delete", **agreed)["preview"]["deleted_with_it"] == {"opportunities": 1}
    with org_context(alpha.org):
        assert Account.objects.filter(pk=account.pk).exists()


KEPT_WITH = {
    "a comment": lambda org, record: Comment.objects.create(
        org=org, content_object=record, comment="The customer's only promise"
    ),
    "a file": lambda org, record: Attachment.objects.create(
        org=org, content_object=record, file_name="contract.pdf"
    ),
}


@pytest.mark.parametrize("kept", KEPT_WITH)
@pytest.mark.parametrize("entity", ["leads", "contacts", "tasks", "cases", "opportunities"])
def test_more_that_is_kept_with_it(tools_of: Any, alpha: Any, entity: str, kept: str) -> None:
    call, record = tools_of(alpha.admin), getattr(alpha, entity)[1]
    asked = {"entity": entity, "id": str(record.pk)}
    agreed = agreed_to(call, "crm_delete", asked)
    with org_context(alpha.org):
        added = KEPT_WITH[kept](alpha.org, record)
    preview = call("crm_delete", **agreed)["preview"]
    assert str(added) in str(preview["among_them"])
    with org_context(alpha.org):
        assert type(record).objects.filter(pk=record.pk).exists()


def test_comment_of_a_deal_that_goes_with_its_account(tools_of: Any, alpha: Any) -> None:
    call = tools_of(alpha.admin)
    with org_context(alpha.org):
        account = Account.objects.create(org=alpha.org, name="Acme")
        deal = Opportunity.objects.create(org=alpha.org, name="First", account=account)
    asked = {"entity": "accounts", "id": str(account.pk)}
    agreed = agreed_to(call, "crm_delete", asked)
    with org_context(alpha.org):
        KEPT_WITH["a comment"](alpha.org, deal)
    assert call("crm_delete", **agreed)["preview"]["deleted_with_it"] == {
        "opportunities": 1,
        "comments": 1,
    }


def test_more_than_can_be_confirmed(
    tools_of: Any, alpha: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    call, lead = tools_of(alpha.admin), alpha.leads[1]
    monkeypatch.setattr(dependents, "MOST", 2)
    asked = {"entity": "leads", "id": str(lead.pk)}
    with org_context(alpha.org):
        for _ in range(2):
            KEPT_WITH["a comment"](alpha.org, lead)
    assert call("crm_delete", **asked)["confirmation_required"]
    with org_context(alpha.org):
        KEPT_WITH["a comment"](alpha.org, lead)
    assert call("crm_delete", **asked, confirm=True)["error"]["code"] == "not_supported"


def test_what_the_person_can_not_see_goes_too(tools_of: Any, alpha: Any) -> None:
    with org_context(alpha.org):
        owner = {"org": alpha.org, "created_by": alpha.user.user}
        account = Account.objects.create(name="Acme", **owner)
        Opportunity.objects.create(name="Mine", account=account, **owner)
        other = {"org": alpha.org, "created_by": alpha.admin.user}
        Opportunity.objects.create(name="Secret deal", account=account, **other)
    asked = {"entity": "accounts", "id": str(account.pk)}
    preview = tools_of(alpha.user)("crm_delete", **asked)["preview"]
    assert preview["deleted_with_it"] == {"opportunities": 1}
    assert preview["among_them"] == {"opportunities": ["Mine"]}
    assert "others" in preview["not_shown"]["opportunities"]
    assert "Secret" not in str(preview)
    assert "not_shown" not in tools_of(alpha.admin)("crm_delete", **asked)["preview"]


def test_target_of_a_merge_that_changed(tools_of: Any, alpha: Any) -> None:
    call, (case, into) = tools_of(alpha.admin), alpha.cases[1:3]
    asked = {
        "entity": "cases",
        "id": str(case.pk),
        "action": "merge",
        "params": {"into": str(into.pk)},
    }
    agreed = agreed_to(call, "crm_action", asked)
    with org_context(alpha.org):
        Case.objects.filter(pk=into.pk).update(description="Another customer's, by now")
    assert call("crm_action", **agreed)["confirmation_required"]
    with org_context(alpha.org):
        assert Case.objects.get(pk=case.pk).status != "Duplicate"


def test_comment_that_reads_otherwise_by_now(tools_of: Any, alpha: Any) -> None:
    call, lead = tools_of(alpha.admin), alpha.leads[1]
    record = {"entity": "leads", "id": str(lead.pk)}
    call("crm_action", **record, action="add_comment", params={"comment": "Spam, delete me"})
    with org_context(alpha.org):
        comment = Comment.objects.get(comment="Spam, delete me")
    asked = {**record, "action": "delete_comment", "params": {"comment_id": str(comment.pk)}}
    preview = call("crm_action", **asked)["preview"]
    assert preview["comment"]["comment"] == "Spam, delete me"
    agreed = agreed_to(call, "crm_action", asked)
    with org_context(alpha.org):
        Comment.objects.filter(pk=comment.pk).update(comment="The customer's only promise")
    assert call("crm_action", **agreed)["preview"]["comment"]["comment"].startswith("The customer")
    with org_context(alpha.org):
        assert Comment.objects.filter(pk=comment.pk).exists()


def test_unmerge_may_mail(tools_of: Any, alpha: Any) -> None:
    call, (case, into) = tools_of(alpha.admin), alpha.cases[1:3]
    record = {"entity": "cases", "id": str(case.pk)}
    merge = {**record, "action": "merge", "params": {"into": str(into.pk)}}
    call("crm_action", **agreed_to(call, "crm_action", merge))
    preview = call("crm_action", **record, action="unmerge")["preview"]
    assert "survey" in preview["this_will"]
    assert "mailed_to" in preview


@pytest.mark.parametrize("tool", ["crm_delete", "crm_action", "crm_update"])
def test_what_moves_with_the_clock_does_not_matter(
    tools_of: Any, alpha: Any, monkeypatch: pytest.MonkeyPatch, tool: str
) -> None:
    """In BottleCRM the deadlines of a case that waits for its customer do."""
    monkeypatch.setattr(Case, "resolution_sla_deadline", property(lambda case: timezone.now()))
    call, case = tools_of(alpha.admin), alpha.cases[1]
    more: Any = {
        "crm_delete": {},
        "crm_action": {"action": "close", "params": {"closed_on": "today"}},
        "crm_update": {"data": {"status": "Closed", "closed_on": "today"}},
    }[tool]
    asked = {"entity": "cases", "id": str(case.pk), **more}
    answer = call(tool, **agreed_to(call, tool, asked))
    assert "error" not in answer
    assert "confirmation_required" not in answer
