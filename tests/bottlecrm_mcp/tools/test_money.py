"""What the answer of a write says about amounts."""

from typing import Any

import pytest

from bottlecrm_mcp.gateway.base import GatewayError
from bottlecrm_mcp.gateway.in_process.gateway import InProcessGateway
from demo_crm.access.row_security import org_context
from demo_crm.models import Account, Org


@pytest.fixture
def in_euros(alpha: Any) -> None:
    with org_context(alpha.org):
        Account.objects.update(currency="EUR")
    Org.objects.filter(pk=alpha.org.pk).update(default_currency="EUR")


def invoice(alpha: Any, **values: Any) -> dict[str, Any]:
    account, contact = str(alpha.accounts[1].pk), str(alpha.contacts[1].pk)
    data = {"invoice_title": "Consulting", "account": account, "contact": contact, **values}
    return {"entity": "invoices", "data": data}


def line(**values: Any) -> list[dict[str, Any]]:
    return [{"name": "Day", "quantity": 1, "unit_price": 100, **values}]


def warned(answer: Any, text: str) -> bool:
    return any(text in each for each in answer.get("warnings", ()))


def test_tax_of_a_line_is_not_in_the_total(admin: Any, alpha: Any) -> None:
    made = admin("crm_create", **invoice(alpha, line_items=line(tax_rate=19)))
    assert made["record"]["total_amount"] == "100.00"
    assert warned(made, "not in total_amount (100.00)")
    taxed = admin("crm_create", **invoice(alpha, line_items=line(), tax_rate=19))
    assert taxed["record"]["total_amount"] == "119.00"
    assert not warned(taxed, "not in total_amount")
    again = {"entity": "invoices", "id": taxed["id"], "data": {"line_items": line(tax_rate=7)}}
    assert warned(admin("crm_update", **again, confirm=True), "not in total_amount (119.00)")
    added = {"entity": "invoices", "id": taxed["id"], "action": "add_line_item"}
    params = {"name": "Night", "unit_price": 1, "quantity": 1, "tax_rate": 7}
    assert warned(admin("crm_action", **added, params=params), "not in total_amount")


def test_nothing_is_due(admin: Any, alpha: Any) -> None:
    made = admin("crm_create", **invoice(alpha))
    assert warned(made, "Nothing is due: total_amount is 0.00")
    data = {"line_items": line()}
    filled = admin("crm_update", entity="invoices", id=made["id"], data=data, confirm=True)
    assert filled["changed"]["amount_due"]["after"] == "100.00"
    assert not warned(filled, "Nothing is due")


def test_currency_is_not_the_accounts(admin: Any, alpha: Any, in_euros: None) -> None:
    made = admin("crm_create", **invoice(alpha, line_items=line()))
    assert made["record"]["currency"] == "USD"
    assert warned(made, f"currency is USD, but its account {alpha.accounts[1].name} uses EUR")
    data = {"currency": "EUR"}
    right = admin("crm_update", entity="invoices", id=made["id"], data=data, confirm=True)
    assert not warned(right, "uses")
    titled = admin("crm_update", entity="invoices", id=made["id"], data={"notes": "x"})
    assert "warnings" not in titled


def test_currency_is_not_the_organisations(admin: Any, alpha: Any, in_euros: None) -> None:
    lead = {"last_name": "Lee", "opportunity_amount": 5}
    made = admin("crm_create", entity="leads", data={**lead, "currency": "USD"})
    assert warned(made, "currency is USD, but the organisation uses EUR")
    assert warned(admin("crm_create", entity="leads", data=lead), "no currency; the organisation")
    quiet = admin("crm_create", entity="leads", data={**lead, "currency": "EUR"})
    assert "warnings" not in quiet
    assert "warnings" not in admin("crm_create", entity="leads", data={"last_name": "Ng"})


@pytest.mark.parametrize("tool", ["crm_action", "crm_update"])
def test_conversion_drops_the_currency(admin: Any, alpha: Any, tool: str) -> None:
    lead = {"entity": "leads", "id": str(alpha.leads[1].pk)}
    admin("crm_update", **lead, data={"currency": "GBP", "opportunity_amount": 5})
    how = {"action": "convert"} if tool == "crm_action" else {"data": {"status": "converted"}}
    assert warned(admin(tool, **lead, **how, confirm=True), "carry over currency (GBP)")


def test_what_can_not_be_compared_is_no_failure(
    admin: Any, alpha: Any, in_euros: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = InProcessGateway.read

    def failing(self: Any, path: str, *arguments: Any) -> Any:
        if path == "/api/org/settings/":
            raise GatewayError("timeout", "Too late.")
        return read(self, path, *arguments)

    monkeypatch.setattr(InProcessGateway, "read", failing)
    lead = {"last_name": "Lee", "opportunity_amount": 5, "currency": "USD"}
    made = admin("crm_create", entity="leads", data=lead)
    assert made["record"]["currency"] == "USD"
    assert "warnings" not in made
