"""What is finished is neither open nor overdue."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from bottlecrm_mcp.catalogue.bottlecrm import CATALOGUE
from demo_crm.access.row_security import org_context
from demo_crm.models import Invoice, Lead, Task

OPENED = [each for each in CATALOGUE.entities if each.open]


@pytest.fixture
def late_tasks(alpha: Any) -> Any:
    """One in each status, due yesterday."""
    yesterday = timezone.now().date() - timedelta(days=1)
    with org_context(alpha.org):
        Task.objects.all().delete()
        for status in ("New", "In Progress", "Completed"):
            Task.objects.create(
                org=alpha.org, title=status, status=status, priority="Low", due_date=yesterday
            )
    return alpha


def names(answer: dict[str, Any]) -> set[str]:
    return {each["title"] for each in answer["records"]}


def test_overdue_is_open_and_past(admin: Any, late_tasks: Any) -> None:
    answer = admin("crm_search", entity="tasks", filters={"due_date": "overdue"})
    assert names(answer) == {"New", "In Progress"}
    assert answer["filters"]["is_open"] == {"is": True, "status": ["New", "In Progress"]}
    total = admin("crm_summarize", entity="tasks", filters={"due_date": "overdue"})["total"]
    assert total["count"] == 2
    past = admin("crm_search", entity="tasks", filters={"due_date__lte": "yesterday"})
    assert len(names(past)) == 3


@pytest.mark.parametrize(
    ("value", "found"), [(True, {"New", "In Progress"}), (False, {"Completed"})]
)
def test_is_open(admin: Any, late_tasks: Any, value: bool, found: set[str]) -> None:
    assert names(admin("crm_search", entity="tasks", filters={"is_open": value})) == found


def test_paid_invoice_is_not_overdue(admin: Any, alpha: Any) -> None:
    with org_context(alpha.org):
        Invoice.objects.update(due_date="2020-01-31", status="Paid")
        Invoice.objects.filter(pk=alpha.invoices[1].pk).update(status="Viewed")
    answer = admin("crm_search", entity="invoices", filters={"due_date": "overdue"})
    assert [each["id"] for each in answer["records"]] == [str(alpha.invoices[1].pk)]


@pytest.mark.parametrize("value", ["open", 1, None, [True]])
def test_is_open_is_true_or_false(admin: Any, value: Any) -> None:
    error = admin("crm_search", entity="tasks", filters={"is_open": value})["error"]
    assert "is_open" in error["fields"]


@pytest.mark.parametrize("entity", OPENED, ids=[each.name for each in OPENED])
def test_open_values_are_choices(entity: Any) -> None:
    assert set(entity.open.values) < set(entity.field(entity.open.field).choices)


def test_entity_without_such_a_state(admin: Any) -> None:
    error = admin("crm_search", entity="contacts", filters={"is_open": True})["error"]
    assert "is_open" in error["fields"]


def test_hidden_value_in_a_list_is_refused_as_alone(admin: Any) -> None:
    """It would count nothing without a word."""
    one, two = (
        admin("crm_search", entity="leads", filters={"status": value})["error"]["fields"]
        for value in ("converted", ["converted", "closed"])
    )
    assert one == two


def test_describe_tells(admin: Any) -> None:
    notes = admin("crm_describe", entity="opportunities")["notes"]
    assert any("is_open" in note and "NEGOTIATION" in note for note in notes)


def test_lead_without_a_status_is_open(admin: Any, alpha: Any) -> None:
    made = admin("crm_create", entity="leads", data={"first_name": "Tom", "last_name": "Reed"})
    with org_context(alpha.org):
        Lead.objects.filter(pk=made["id"]).update(status=None)
        every = Lead.objects.exclude(status="converted").count()
    opened, closed = (
        admin("crm_search", entity="leads", filters={"is_open": value}, limit=50)
        for value in (True, False)
    )
    assert made["id"] in {each["id"] for each in opened["records"]}
    assert opened["total"] + closed["total"] == every
