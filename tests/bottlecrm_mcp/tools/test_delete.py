import pytest

from tests.bottlecrm_mcp.population import ENTITIES, NAMES, UNKNOWN_ID, unchanged

DELETABLE = [name for name in NAMES if not ENTITIES[name].no_delete]


def created(call, name) -> str:
    data = {
        "leads": {"first_name": "A"},
        "contacts": {"first_name": "A", "last_name": "B"},
        "accounts": {"name": "A"},
        "opportunities": {"name": "A"},
        "tasks": {"title": "A", "status": "New", "priority": "Low"},
        "cases": {"name": "A", "status": "New", "priority": "Low"},
        "solutions": {"title": "A", "description": "B"},
    }[name]
    return call("crm_create", entity=name, data=data)["id"]


@pytest.mark.parametrize("name", DELETABLE)
def test_deleted_after_confirmation(user, api, alpha_user, name) -> None:
    pk = created(user, name)
    with unchanged():
        preview = user("crm_delete", entity=name, id=pk)["preview"]
    assert preview["record"]["id"] == pk
    answer = user("crm_delete", entity=name, id=pk, confirm=True)
    assert (answer["deleted"], answer["id"]) == (True, pk)
    assert api(alpha_user).get(ENTITIES[name].record_path(pk)).status_code == 404
    again = user("crm_delete", entity=name, id=pk, confirm=True)
    assert again["error"]["code"] == "not_found"


def test_invoices_are_cancelled_instead(admin, alpha) -> None:
    with unchanged():
        pk = str(alpha.invoices[1].pk)
        error = admin("crm_delete", entity="invoices", id=pk, confirm=True)["error"]
    assert error["code"] == "not_supported"
    assert "cancel" in error["message"]


def test_account_that_invoices_hold(admin, alpha) -> None:
    with unchanged():
        pk = str(alpha.accounts[1].pk)
        error = admin("crm_delete", entity="accounts", id=pk, confirm=True)["error"]
    assert error["code"] == "not_supported"
    assert "1 invoice." in error["message"]


@pytest.mark.parametrize("name", DELETABLE)
def test_assignee_may_not_delete(user, alpha, name) -> None:
    # Assigned to the user, created by the administrator.
    pk = str(getattr(alpha, name)[2].pk)
    if name == "accounts":
        return
    with unchanged():
        error = user("crm_delete", entity=name, id=pk, confirm=True)["error"]
    assert error["code"] == "forbidden"


@pytest.mark.parametrize("pk", ["", "1", "x" * 500, UNKNOWN_ID[:-1], f"{{{UNKNOWN_ID}}}"])
def test_malformed_id(user, pk) -> None:
    with unchanged():
        error = user("crm_delete", entity="leads", id=pk, confirm=True)["error"]
    assert error["code"] in ("invalid_id", "not_found", "invalid_value")
