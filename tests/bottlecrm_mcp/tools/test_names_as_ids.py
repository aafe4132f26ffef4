"""A name in place of an id: one record is taken, several are listed, none gives the nearest."""

from typing import Any

import pytest

from demo_crm.access.row_security import org_context
from demo_crm.models import Account
from tests.bottlecrm_mcp.population import unchanged

CALLS: list[tuple[str, dict[str, Any]]] = [
    ("crm_get", {}),
    ("crm_update", {"data": {"description": "x"}}),
    ("crm_delete", {}),
    ("crm_action", {"action": "add_comment", "params": {"comment": "x"}}),
]


@pytest.fixture
def acme(alpha: Any) -> Any:
    with org_context(alpha.org):
        return Account.objects.create(org=alpha.org, name="Acme Instruments")


@pytest.mark.parametrize(("tool", "more"), CALLS)
def test_one(admin: Any, acme: Any, tool: str, more: Any) -> None:
    answer = admin(tool, entity="accounts", id="acme instruments", **more)
    meant = answer["preview"]["record"]["id"] if "preview" in answer else answer["id"]
    assert meant == str(acme.pk)


@pytest.mark.parametrize(("tool", "more"), CALLS)
def test_several(admin: Any, acme: Any, tool: str, more: Any) -> None:
    with org_context(acme.org):
        Account.objects.create(org=acme.org, name="Acme Instruments")
    with unchanged():
        error = admin(tool, entity="accounts", id="Acme Instruments", **more)["error"]
    assert error["code"] == "ambiguous"
    assert len(error["candidates"]) == 2


@pytest.mark.parametrize(("tool", "more"), CALLS)
@pytest.mark.parametrize("name", ["Acme Instrumnets", "7", "not-an-id"])
def test_none(admin: Any, acme: Any, tool: str, more: Any, name: str) -> None:
    with unchanged():
        error = admin(tool, entity="accounts", id=name, **more)["error"]
    assert error["code"] == "not_found"
    if name.startswith("Acme"):
        assert "Acme Instruments" in error["hint"]


def test_name_of_another_organisation(admin: Any, alpha: Any, beta: Any) -> None:
    with org_context(beta.org):
        Account.objects.create(org=beta.org, name="Only in Beta")
    assert admin("crm_get", entity="accounts", id="Only in Beta")["error"]["code"] == "not_found"


def test_without_read_a_name_says_so(tools_of: Any, alpha_admin: Any, acme: Any) -> None:
    call = tools_of(alpha_admin, scopes=["accounts:write"])
    error = call("crm_update", entity="accounts", id="Acme Instruments", data={"phone": ""})
    assert error["error"]["code"] == "insufficient_scope"
    assert error["error"]["hint"] == "Give the id."


def test_name_that_means_another_by_now_is_not_deleted(admin: Any, acme: Any) -> None:
    asked = {"entity": "accounts", "id": "Acme Instruments"}
    preview = admin("crm_delete", **asked)
    with org_context(acme.org):
        Account.objects.filter(pk=acme.pk).update(name="Acme old")
        other = Account.objects.create(org=acme.org, name="Acme Instruments")
    agreed = {"confirm": True, "confirmation": preview["confirmation"]}
    answer = admin("crm_delete", **asked, **agreed)
    assert answer["preview"]["record"]["id"] == str(other.pk)
