"""What a refused write says beyond the CRM's own words."""

from typing import Any

import pytest

from bottlecrm_mcp.gateway.base import Reply
from bottlecrm_mcp.gateway.in_process.gateway import InProcessGateway
from tests.bottlecrm_mcp.population import UNKNOWN_ID, unchanged

TAKEN = [
    ("leads", "email", {"last_name": "Lee"}),
    ("contacts", "email", {"first_name": "Ann", "last_name": "Lee"}),
    ("accounts", "name", {}),
    ("opportunities", "name", {}),
]


@pytest.mark.parametrize(("name", "field", "data"), TAKEN)
def test_record_that_has_the_value_is_named(
    user: Any, alpha: Any, name: str, field: str, data: dict[str, Any]
) -> None:
    holder, other = getattr(alpha, name)[1:3]
    value = getattr(holder, field)
    with unchanged():
        created = user("crm_create", entity=name, data={**data, field: value})["error"]
        updated = user("crm_update", entity=name, id=str(other.pk), data={field: value})["error"]
    for error in (created, updated):
        assert [each["id"] for each in error["candidates"]] == [str(holder.pk)]
        assert "update that one instead" in error["hint"]


def test_record_that_is_not_seen_is_not_named(user: Any, alpha: Any) -> None:
    hidden = alpha.leads[3]
    data = {"last_name": "Lee", "email": hidden.email}
    error = user("crm_create", entity="leads", data=data)["error"]
    assert "in no list of this person" in error["hint"]
    assert "candidates" not in error
    assert str(hidden.pk) not in str(error)
    assert hidden.first_name not in str(error)


def test_failure_with_a_known_cause(
    admin: Any, alpha: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(InProcessGateway, "write", lambda *_, **__: Reply(500))
    account, contact = str(alpha.accounts[1].pk), str(alpha.contacts[1].pk)
    data = {"invoice_title": "Consulting", "account": account, "contact": contact}
    hint = admin("crm_create", entity="invoices", data=data)["error"]["hint"]
    assert "counts invoice numbers by day in each organisation" in hint
    assert (
        "known cause"
        not in admin("crm_create", entity="leads", data={"last_name": "x"})["error"]["hint"]
    )


def test_what_is_required_says_what_it_is(user: Any, alpha: Any) -> None:
    def missing(tool: str, **arguments: Any) -> dict[str, str]:
        fields: dict[str, str] = user(tool, **arguments)["error"]["fields"]
        return fields

    cases = missing("crm_create", entity="cases", data={})
    assert cases["name"] == "Is required: text."
    assert cases["priority"] == "Is required: one of Low, Normal, High, Urgent."
    invoices = missing("crm_create", entity="invoices", data={})
    assert invoices["account"] == "Is required: account by id or name."
    invoice = {"entity": "invoices", "id": str(alpha.invoices[1].pk), "action": "record_payment"}
    payment = missing("crm_action", **invoice)
    assert payment["amount"] == "Is required: a number."
    assert payment["payment_date"] == "Is required: a date, such as 2026-01-31 or today."
    assert payment["payment_method"].startswith("Is required: one of CASH, CHECK")
    unknown = {"entity": "leads", "id": UNKNOWN_ID, "action": "add_comment"}
    assert user("crm_action", **unknown)["error"]["code"] == "not_found"
