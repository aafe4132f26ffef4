"""The global search, which no tool uses."""

from typing import Any

from django.db.models import Q
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from demo_crm.entities.organisation.lookups import Member
from demo_crm.models import Account, Case, Contact, Invoice, Lead, Opportunity, Solution

PER_KIND = 6


class Search(Member):
    """A few matches of every kind but tasks."""

    def get(self, request: Request) -> Response:
        query = request.query_params.get("q", "").strip()
        if len(query) < 2:
            return Response({"query": query, "results": []})
        results = [hit for kind in self.kinds() for hit in self._hits(query, *kind)]
        return Response({"query": query, "results": results})

    def kinds(self) -> list[tuple[str, Any, tuple[str, ...], str]]:
        return [
            ("lead", Lead, ("first_name", "last_name", "company_name", "email"), "company_name"),
            ("deal", Opportunity, ("name",), "account"),
            ("account", Account, ("name", "email"), "email"),
            ("contact", Contact, ("first_name", "last_name", "email"), "email"),
            ("ticket", Case, ("name",), "status"),
            ("invoice", Invoice, ("invoice_title", "invoice_number"), "status"),
            ("solution", Solution, ("title",), "status"),
        ]

    def _hits(
        self, query: str, kind: str, model: Any, fields: tuple[str, ...], subtitle: str
    ) -> list[dict[str, str]]:
        matches = Q()
        for field in fields:
            matches |= Q(**{f"{field}__icontains": query})
        records = model.objects.filter(matches)
        if not self.profile.is_admin and model is not Solution:
            owned = Q(created_by=self.profile.user) | Q(assigned_to=self.profile)
            records = records.filter(owned).distinct()
        return [
            {
                "type": kind,
                "id": str(record.pk),
                "title": str(record),
                "subtitle": str(getattr(record, subtitle) or ""),
            }
            for record in records[:PER_KIND]
        ]


urlpatterns = [path("", Search.as_view())]
