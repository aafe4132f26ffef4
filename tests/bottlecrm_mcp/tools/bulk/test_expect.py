"""An update that is only made if the record still holds what its caller saw."""

from typing import Any

import pytest
from django.db import transaction

from bottlecrm_mcp.gateway.in_process.gateway import InProcessGateway
from demo_crm.access.row_security import org_context
from demo_crm.models import Lead


@pytest.fixture
def lead(alpha: Any) -> Any:
    with org_context(alpha.org):
        Lead.objects.filter(pk=alpha.leads[1].pk).update(
            first_name="Ann",
            opportunity_amount="5000.00",
            custom_fields={"region": "north"},
            last_contacted=None,
        )
        alpha.leads[1].assigned_to.set([alpha.user, alpha.admin])
    return {"entity": "leads", "id": str(alpha.leads[1].pk)}


def test_what_is_seen_is_what_is_expected(user: Any, lead: Any) -> None:
    """Every field as crm_get shows it."""
    shown = user("crm_get", **lead)["record"]
    expect = {name: value for name, value in shown.items() if name != "id"}
    answer = user("crm_update", **lead, data={"title": "CTO"}, expect=expect)
    assert answer["changed"]["title"]["after"] == "CTO"


@pytest.mark.parametrize(
    "expect",
    [
        {"opportunity_amount": 5000},
        {"opportunity_amount": "5,000"},
        {"assigned_to": ["me", "alpha.admin@example.com"]},
        {"custom_fields.region": "north"},
        {"last_contacted": None, "first_name": "Ann "},
    ],
)
def test_said_another_way(user: Any, lead: Any, expect: Any) -> None:
    assert "changed" in user("crm_update", **lead, data={"title": "CTO"}, expect=expect)


@pytest.mark.parametrize(
    ("expect", "told"),
    [
        ({"first_name": "Bo"}, {"first_name": 'Is "Ann" now.'}),
        ({"opportunity_amount": 6000}, {"opportunity_amount": 'Is "5000.00" now.'}),
        ({"custom_fields.region": "south"}, {"custom_fields.region": 'Is "north" now.'}),
        ({"last_contacted": "today"}, {"last_contacted": "Is empty now."}),
        ({"assigned_to": ["me"]}, None),
        ({"created_at": "2020-01-01T00:00:00Z"}, None),
    ],
)
def test_what_is_not_so(user: Any, lead: Any, expect: Any, told: Any) -> None:
    error = user("crm_update", **lead, data={"title": "CTO"}, expect=expect)["error"]
    assert error["code"] == "conflict"
    assert told is None or error["fields"] == told
    assert list(error["fields"]) == list(expect)
    assert "Nothing was changed" in error["hint"]


def test_what_is_not_understood(user: Any, lead: Any) -> None:
    for expect in ({"no_such": 1}, {"assigned_to": {"add": ["me"]}}, {"status": "gone"}):
        error = user("crm_update", **lead, data={"title": "CTO"}, expect=expect)["error"]
        assert error["code"] == "invalid_value"


@pytest.mark.parametrize(
    ("expect", "now"),
    [({"first_name": "Ann"}, '"Bo"'), ({"assigned_to": ["me", "Alpha Admin"]}, "Alpha Colleague2")],
)
def test_changed_between_the_look_and_the_write(
    user: Any, alpha: Any, lead: Any, monkeypatch: Any, expect: Any, now: str
) -> None:
    write = InProcessGateway.write

    def overtaken(self: Any, *given: Any, **options: Any) -> Any:
        monkeypatch.undo()
        # In a transaction of its own, as another person's would be.
        with org_context(alpha.org), transaction.atomic():
            if "first_name" in expect:
                Lead.objects.filter(pk=lead["id"]).update(first_name="Bo")
            else:
                # Of the link alone: the lead's own row stays as it is.
                alpha.leads[1].assigned_to.add(alpha.people[4])
        return write(self, *given, **options)

    monkeypatch.setattr(InProcessGateway, "write", overtaken)
    change = {"data": {"title": "CTO"}, "expect": expect}
    error = user("crm_update", **lead, **change)["error"]
    assert error["code"] == "conflict"
    (said,) = error["fields"].values()
    assert now in said
    with org_context(alpha.org):
        assert Lead.objects.get(pk=lead["id"]).title != "CTO"
