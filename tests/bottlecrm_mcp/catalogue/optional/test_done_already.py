"""Actions whose effect is there already: each says so before it speaks of a mail."""

from typing import Any

import pytest

from bottlecrm_mcp.catalogue.model import State
from demo_crm.access.row_security import org_context
from demo_crm.models import Case
from tests.bottlecrm_mcp.population import EVERY, model_of, unchanged

PARAMS = {
    "closed_on": "today",
    "amount": "1",
    "payment_date": "today",
    "payment_method": "CASH",
}
DONE = [
    pytest.param(name, action, state, value, id=f"{name}-{action.name}-{value}")
    for name, entity in EVERY.items()
    for action in entity.actions
    for state in action.not_when
    if "." not in state.field
    for value in state.values or (None,)
]


def put(alpha: Any, record_id: str, name: str, state: State, value: Any) -> None:
    """Into this state, whatever leads there in the CRM."""
    if value is None:
        is_relation = state.field == "converted_to_invoice"
        value = alpha.invoices[1] if is_relation else "2026-01-05T10:00:00Z"
    with org_context(alpha.org):
        rows = model_of(EVERY[name])._base_manager.filter(pk=record_id)
        assert rows.update(**{state.field: value}) == 1


@pytest.mark.parametrize(("name", "action", "state", "value"), DONE)
def test_nothing_is_to_do(admin, alpha, mailoutbox, name, action, state, value) -> None:
    record_id = admin("crm_search", entity=name, limit=1)["records"][0]["id"]
    put(alpha, record_id, name, state, value)
    wanted = {each.name for each in action.params if each.required}
    params = {key: given for key, given in PARAMS.items() if key in wanted}
    arguments = {"entity": name, "id": record_id, "action": action.name, "params": params}
    with unchanged():
        for confirm in (False, True):
            answer = admin("crm_action", **arguments, confirm=confirm)
            assert answer["error"]["code"] == "nothing_to_do", answer
            assert action.name in answer["error"]["message"]
    assert mailoutbox == []


def test_merged_and_not(admin, alpha) -> None:
    """A case of the status Duplicate is hidden as merged ones are, and is none of them."""
    source, target = (str(each.pk) for each in alpha.cases[:2])
    unmerge = {"entity": "cases", "id": source, "action": "unmerge"}
    merge = {"entity": "cases", "id": source, "action": "merge", "params": {"into": target}}
    for status in ("New", "Duplicate"):
        with org_context(alpha.org):
            Case.objects.filter(pk=source).update(status=status)
        error = admin("crm_action", **unmerge)["error"]
        assert (error["code"], "is not merged" in error["message"]) == ("nothing_to_do", True)
        assert admin("crm_action", **merge)["confirmation_required"]
    assert admin("crm_action", **merge, confirm=True)["action"] == "merge"
    error = admin("crm_action", **merge)["error"]
    assert (error["code"], "is merged" in error["message"]) == ("nothing_to_do", True)
    # Whatever the status was set to by hand.
    with org_context(alpha.org):
        Case.objects.filter(pk=source).update(status="New")
    assert admin("crm_action", **unmerge)["confirmation_required"]
    assert admin("crm_action", **unmerge, confirm=True)["action"] == "unmerge"


def test_children_of_a_closed_case_are_closed(admin, alpha) -> None:
    parent, child, *_ = alpha.cases
    with org_context(alpha.org):
        Case.objects.filter(pk=parent.pk).update(status="Closed")
        Case.objects.filter(parent=parent).exclude(pk=child.pk).update(parent=None)
        Case.objects.filter(pk=child.pk).update(parent=parent, status="New")
    close = {"entity": "cases", "id": str(parent.pk), "action": "close_with_children"}
    shown = admin("crm_action", **close, params={"closed_on": "today"})
    assert [each["id"] for each in shown["preview"]["also"]] == [str(child.pk)]
