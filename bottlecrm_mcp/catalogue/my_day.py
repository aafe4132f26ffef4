"""My-day sources: what waits for a person in BottleCRM, the most pressing kinds first."""

from __future__ import annotations

from bottlecrm_mcp.catalogue import choices
from bottlecrm_mcp.catalogue.model import Duty, Field, Kind


def _missed(name: str) -> Field:
    # Each case looks its organisation's business hours up, for each of these.
    return Field(name, Kind.BOOLEAN, computed=True, asks="_sla_calendar")


DUTIES = (
    Duty(
        "tasks",
        "task",
        {"status": list(choices.TASK_STATUS[:2]), "due_date__lte": "today"},
        due="due_date",
        urgency="priority",
        urgent=("High",),
        tells=("account",),
    ),
    Duty(
        "cases",
        "open case",
        {"status": list(choices.CASE_STATUS[:3])},
        urgency="priority",
        urgent=("Urgent", "High"),
        answered="first_response_at",
        missed=(
            (_missed("is_sla_first_response_breached"), "first response"),
            (_missed("is_sla_resolution_breached"), "resolution"),
        ),
        tells=("account",),
    ),
    Duty(
        "leads",
        "follow-up",
        {"status": list(choices.LEAD_STATUS[:2]), "next_follow_up__lte": "today"},
        due="next_follow_up",
        tells=("company_name",),
    ),
    Duty(
        "opportunities",
        "closing",
        {"stage": list(choices.STAGE[:4]), "closed_on__lte": "this_week"},
        due="closed_on",
        tells=("account",),
    ),
    Duty(
        "invoices",
        "payment",
        {"due_date": "overdue"},
        due="due_date",
        tells=("account", "amount_due", "currency"),
    ),
)
