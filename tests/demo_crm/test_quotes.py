"""Estimates, recurring invoices and products, with the quirks that are there on purpose."""

from types import SimpleNamespace
from typing import Any

import pytest

from demo_crm.access.row_security import org_context
from tests.whole_crm.models import Estimate, Product

QUOTED = ("estimates", "recurring")
KEYS = {"estimates": "estimate", "recurring": "recurring_invoice"}


def path(kind: str, *parts: Any) -> str:
    return f"/api/invoices/{kind}/" + "".join(f"{part}/" for part in parts)


def body(of: SimpleNamespace, **more: Any) -> dict[str, Any]:
    item = {"name": "Days", "quantity": 2, "unit_price": 100, "tax_rate": 10}
    return {
        "title": "Offer",
        "account_id": str(of.accounts.pk),
        "contact_id": str(of.contacts.pk),
        "client_email": "buyer@customer.test",
        "tax_rate": 10,
        "line_items": [item],
        **more,
    }


def make(client: Any, kind: str, of: SimpleNamespace, **more: Any) -> dict[str, Any]:
    answer = client.post(path(kind), body(of, **more), format="json")
    assert answer.status_code == 201, answer.content
    return answer.json()[KEYS[kind]]


@pytest.mark.parametrize("kind", QUOTED)
def test_role_rule_and_tenancy(api, by_admin, by_user, beta_admin, kind):
    admin, user, beta = api(by_admin.profile), api(by_user.profile), api(beta_admin)
    theirs, own = make(admin, kind, by_admin), make(user, kind, by_admin)

    assert {row["id"] for row in user.get(path(kind)).json()["results"]} == {own["id"]}
    assert admin.get(path(kind)).json()["count"] == 2
    assert user.get(path(kind, theirs["id"])).status_code == 403
    assert user.delete(path(kind, theirs["id"])).status_code == 403
    assert beta.get(path(kind, own["id"])).status_code == 404
    assert beta.get(path(kind)).json()["count"] == 0


@pytest.mark.parametrize("kind", QUOTED)
def test_changed_by_a_partial_put_only(api, by_admin, kind):
    client = api(by_admin.profile)
    made = make(client, kind, by_admin)
    assert made["total_amount"] == "220.00"

    assert client.patch(path(kind, made["id"]), {"title": "x"}).status_code == 405
    changed = client.put(path(kind, made["id"]), {"notes": "Now"}, format="json").json()
    assert changed[KEYS[kind]]["title"] == "Offer"
    assert len(changed[KEYS[kind]]["line_items"]) == 1
    assert client.delete(path(kind, made["id"])).json()["error"] is False


def test_status_of_an_estimate_is_not_written(api, by_admin):
    client = api(by_admin.profile)
    assert make(client, "estimates", by_admin, status="Accepted")["status"] == "Draft"


def test_sent_and_converted_once(api, by_admin, mailoutbox, django_capture_on_commit_callbacks):
    client = api(by_admin.profile)
    made = make(client, "estimates", by_admin)

    with django_capture_on_commit_callbacks(execute=True):
        assert client.post(path("estimates", made["id"], "send")).status_code == 200
    assert [message.to for message in mailoutbox] == [["buyer@customer.test"]]
    converted = client.post(path("estimates", made["id"], "convert"))
    assert (converted.status_code, converted.json()["invoice"]["status"]) == (201, "Draft")
    again = client.post(path("estimates", made["id"], "convert"))
    assert (again.status_code, client.post(path("estimates", made["id"], "send")).status_code) == (
        400,
        400,
    )
    with org_context(by_admin.profile.org):
        assert Estimate.objects.get(pk=made["id"]).status == "Accepted"


def test_expired_is_not_sent(api, by_admin, mailoutbox, django_capture_on_commit_callbacks):
    client = api(by_admin.profile)
    made = make(client, "estimates", by_admin, expiry_date="2020-01-01")
    with django_capture_on_commit_callbacks(execute=True):
        assert client.post(path("estimates", made["id"], "send")).status_code == 400
    assert not mailoutbox


def test_malformed_account_in_the_list_of_estimates(api, by_admin):
    answer = api(by_admin.profile).get(path("estimates"), {"account": "none"})
    assert answer.status_code == 500


def test_recurring_invoices_know_no_search(api, by_admin):
    client = api(by_admin.profile)
    make(client, "recurring", by_admin)
    assert client.get(path("recurring"), {"search": "nothing"}).json()["count"] == 1


def test_toggle(api, by_admin):
    client = api(by_admin.profile)
    made = make(client, "recurring", by_admin)
    states = [
        client.post(path("recurring", made["id"], "toggle")).json()["recurring_invoice"]
        for _ in range(2)
    ]
    assert [each["is_active"] for each in states] == [False, True]


def test_custom_frequency_needs_days(api, by_admin):
    wrong = body(by_admin, frequency="CUSTOM")
    answer = api(by_admin.profile).post(path("recurring"), wrong, format="json")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["custom_days"])


def test_only_administrators_change_products(api, by_admin, by_user, beta_admin):
    admin, user = api(by_admin.profile), api(by_user.profile)
    assert user.post(path("products"), {"name": "Arm"}).status_code == 403
    made = admin.post(path("products"), {"name": "Arm", "sku": "A"}).json()["product"]

    assert user.get(path("products")).json()["count"] == 1
    assert user.put(path("products", made["id"]), {"name": "x"}).status_code == 403
    assert user.delete(path("products", made["id"])).status_code == 403
    assert api(beta_admin).get(path("products", made["id"])).status_code == 404
    assert admin.patch(path("products", made["id"]), {"name": "x"}).status_code == 405
    assert admin.put(path("products", made["id"]), {"price": 5}).json()["product"]["name"] == "Arm"


def test_second_product_of_an_sku_is_a_server_error(api, by_admin):
    client = api(by_admin.profile)
    client.post(path("products"), {"name": "Arm", "sku": "A"})
    with org_context(by_admin.profile.org):
        assert Product.objects.count() == 1
    assert client.post(path("products"), {"name": "Other", "sku": "A"}).status_code == 500
