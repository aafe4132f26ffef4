"""A preview names the record as a person would, says what comes of it, and the way back."""

import re
from typing import Any

import pytest
from django.db import transaction

from bottlecrm_mcp.catalogue.bottlecrm import CATALOGUE
from bottlecrm_mcp.tools.confirmation.confirm import NO_WAY_BACK
from bottlecrm_mcp.tools.confirmation.made import NEW, NEW_AS_FAR_AS_SEEN, THERE
from bottlecrm_mcp.tools.confirmation.recipients import FIRST_OF_THESE
from demo_crm.access.row_security import org_context
from demo_crm.models import Account, Case, Contact, Lead
from tests.bottlecrm_mcp.population import ENTITIES

NINA = {
    "first_name": "Nina",
    "last_name": "Sand",
    "company_name": "Sand Works",
    "email": "nina@sand.test",
    "opportunity_amount": "900.00",
    "currency": "EUR",
    "status": "assigned",
}


def convert(alpha: Any, **values: Any) -> dict[str, Any]:
    with org_context(alpha.org):
        owner = {"org": alpha.org, "created_by": alpha.user.user}
        lead = Lead.objects.create(**{**NINA, **values}, **owner)
    return {"entity": "leads", "id": str(lead.pk), "action": "convert"}


def test_what_is_made_of_a_lead(admin: Any, alpha: Any) -> None:
    asked = convert(alpha)
    preview = admin("crm_action", **asked)["preview"]
    assert preview["record"]["company_name"] == "Sand Works"
    made = preview["makes"]
    assert made["account"] == {"name": "Sand Works", "it_is": NEW}
    assert made["contact"] == {"name": "Nina Sand", "it_is": NEW}
    assert made["opportunity"]["name"] == "Sand Works - Nina Sand"
    assert made["opportunity"]["amount"] == "900.00"
    assert made["opportunity"]["stage"] == "QUALIFICATION"
    assert preview["not_carried_over"] == {"currency": "EUR"}
    result = admin("crm_action", **asked, confirm=True)["result"]
    for singular, plural in (("account", "accounts"), ("opportunity", "opportunities")):
        shown = admin("crm_get", entity=plural, id=result[f"{singular}_id"])["record"]
        assert shown["name"] == made[singular]["name"]


@pytest.mark.parametrize("tool", ["crm_action", "crm_update", "crm_create"])
def test_what_is_there_already(admin: Any, alpha: Any, tool: str) -> None:
    with org_context(alpha.org):
        account = Account.objects.create(org=alpha.org, name="SAND works")
        Contact.objects.create(
            org=alpha.org, first_name="N.", last_name="Sand", email="nina@sand.test"
        )
    asked: dict[str, Any] = convert(alpha)
    if tool == "crm_update":
        asked = {"entity": "leads", "id": asked["id"], "data": {"status": "converted"}}
    if tool == "crm_create":
        asked = {"entity": "leads", "data": {**NINA, "status": "converted"}}
    shown = admin(tool, **asked)
    made = shown["preview"]["makes"]
    assert made["account"] == {"name": "SAND works", "it_is": THERE, "id": str(account.pk)}
    assert made["contact"]["name"] == "N. Sand"
    with org_context(alpha.org):
        Account.objects.filter(pk=account.pk).update(name="Another")
    again = admin(tool, **asked, confirm=True, confirmation=shown["confirmation"])
    assert again["preview"]["makes"]["account"]["it_is"] == NEW


def test_account_that_the_person_can_not_see(user: Any, alpha: Any) -> None:
    with org_context(alpha.org):
        Account.objects.create(org=alpha.org, name="Sand Works", created_by=alpha.admin.user)
    made = user("crm_action", **convert(alpha))["preview"]["makes"]
    assert made["account"]["it_is"] == NEW_AS_FAR_AS_SEEN


def test_cancelled_invoice_is_named_by_customer_and_amount(admin: Any, alpha: Any) -> None:
    asked = {"entity": "invoices", "id": str(alpha.invoices[1].pk), "action": "cancel"}
    preview = admin("crm_action", **asked)["preview"]
    assert {"account", "total_amount", "currency"} <= preview["record"].keys()
    assert preview["way_back"] == NO_WAY_BACK


def test_closing_names_the_one_who_is_mailed(admin: Any, alpha: Any) -> None:
    with org_context(alpha.org):
        case = Case.objects.create(org=alpha.org, name="Late", status="New", priority="Low")
        for number in range(3):
            email = f"c{number}@case.test" if number else ""
            case.contacts.add(
                Contact.objects.create(
                    org=alpha.org, first_name=f"C{number}", last_name="Case", email=email
                )
            )
    asked = {"entity": "cases", "id": str(case.pk), "action": "close"}
    preview = admin("crm_action", **asked, params={"closed_on": "today"})["preview"]
    (mailed,) = preview["mailed_to"]["contacts"]
    assert mailed["email"] == "c1@case.test"


def test_closing_where_a_contact_is_not_to_be_seen(user: Any, alpha: Any) -> None:
    with org_context(alpha.org):
        owner = {"org": alpha.org, "created_by": alpha.user.user}
        case = Case.objects.create(name="Late", status="New", priority="Low", **owner)
        seen = {"first_name": "Seen", "last_name": "Case", "email": "seen@case.test", **owner}
        hidden = {**seen, "first_name": "Hidden", "email": "hidden@case.test"}
        hidden["created_by"] = alpha.admin.user
        case.contacts.add(Contact.objects.create(**seen), Contact.objects.create(**hidden))
    asked = {"entity": "cases", "id": str(case.pk), "action": "close"}
    preview = user("crm_action", **asked, params={"closed_on": "today"})["preview"]
    assert preview["mailed_to"]["mailed_is"] == FIRST_OF_THESE
    assert "hidden@case.test" not in str(preview)


def test_way_back(admin: Any, alpha: Any) -> None:
    case = {"entity": "cases", "id": str(alpha.cases[1].pk)}
    merge = {**case, "action": "merge", "params": {"into": str(alpha.cases[2].pk)}}
    assert "unmerge" in admin("crm_action", **merge)["preview"]["way_back"]
    assert "unmerge" in admin("crm_action", **merge, confirm=True)["way_back"]
    task = {"entity": "tasks", "id": str(alpha.tasks[1].pk)}
    assert admin("crm_delete", **task)["preview"]["way_back"] == NO_WAY_BACK
    assert "way_back" not in admin("crm_delete", **task, confirm=True)
    assert "unwatch" in admin("crm_action", **case, action="watch")["way_back"]


WRITING = [entity for entity in (*CATALOGUE.entities, *CATALOGUE.optional) if entity.actions]


@pytest.mark.parametrize("entity", WRITING, ids=lambda each: each.name)
def test_ways_back_that_there_are(entity: Any) -> None:
    names = {action.name for action in entity.actions}
    for said in (*(action.way_back for action in entity.actions), entity.delete_way_back):
        assert set(re.findall(r"crm_action (\w+)", said)) <= names


@pytest.mark.parametrize("name", ENTITIES)
def test_every_preview_tells_the_way_back(admin: Any, alpha: Any, name: str) -> None:
    """Of one record and of several, of every action that takes no params and of deletes."""
    entity = ENTITIES[name]
    ids = [str(each.pk) for each in getattr(alpha, name)[1:3]]
    calls = [
        ("crm_action", {"action": action.name}, action.way_back)
        for action in entity.actions
        if not any(each.required for each in action.params)
    ]
    if not entity.no_delete:
        calls.append(("crm_delete", {}, entity.delete_way_back))
    for tool, how, way_back in calls:
        for which in ({"id": ids[0]}, {"ids": ids}):
            if preview := _preview(admin, tool, entity=name, **which, **how):
                assert preview["way_back"] == (way_back or NO_WAY_BACK), how


def _preview(admin: Any, tool: str, **arguments: Any) -> Any:
    """None where nothing is asked, or nothing can be done."""
    with transaction.atomic():
        answer = admin(tool, **arguments)
        transaction.set_rollback(True)
    return answer.get("preview")


def test_way_back_of_an_invoice_that_is_sent(admin: Any, alpha: Any) -> None:
    asked = {"entity": "invoices", "id": str(alpha.invoices[1].pk), "action": "send"}
    assert admin("crm_action", **asked)["preview"]["way_back"] == NO_WAY_BACK
