"""The answer of `crm_search` for ten leads, as an application of its own would make it."""

from __future__ import annotations

from typing import Any

from bottlecrm_mcp.gateway.base import MOST_COUNTED
from bottlecrm_mcp.gateway.in_process.gateway import database_call
from demo_crm.access.row_security import org_context
from demo_crm.models import Lead
from pat_tokens.resolver import resolve_token

SCALARS = ("first_name", "last_name", "company_name", "email", "status")


def newest_leads(authorization: str, limit: int) -> dict[str, Any]:
    """The same rows and total; the token and its organisation count, roles and scopes do not."""
    with database_call():
        org = resolve_token(authorization.removeprefix("Bearer ")).org
        with org_context(org):
            leads = Lead.objects.filter(org=org).exclude(status="converted")
            newest = leads.order_by("-created_at", "pk").prefetch_related("assigned_to__user")
            records = [_row(each) for each in newest[:limit]]
            total = leads.values("pk")[: MOST_COUNTED + 1].count()
    return {"entity": "leads", "records": records, "total": total, "returned": len(records)}


def _row(lead: Lead) -> dict[str, Any]:
    row = {"id": str(lead.pk), **{name: getattr(lead, name) for name in SCALARS}}
    people = [
        {"id": str(each.pk), "name": each.user.name or each.user.email}
        for each in lead.assigned_to.all()
    ]
    return {name: value for name, value in {**row, "assigned_to": people}.items() if value}
