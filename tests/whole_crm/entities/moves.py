"""Cards dragged to another column of a board of leads, deals, tasks or cases."""

from typing import Any, ClassVar
from uuid import UUID

from django.shortcuts import get_object_or_404
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from demo_crm.answers import Refused, done, invalid
from demo_crm.entities.base import Body, Entity
from demo_crm.entities.sales.leads import Leads
from demo_crm.entities.sales.opportunities import Opportunities
from demo_crm.entities.service.cases import Cases, follow_status
from demo_crm.entities.tasks import Tasks
from demo_crm.models import Opportunity


class RecordMove(Entity, APIView):
    """A card dragged to another column.

    On purpose: the value is set as it is, past every rule that a change of the record obeys.
    """

    column: ClassVar[str] = "status"

    def patch(self, request: Request, pk: UUID) -> Response:
        record = self.find(pk)
        if not self.allows(record, self.writable()):
            raise Refused(403, {"error": "Permission denied"})
        value = self.request.data.get(self.column)
        field: Any = self.model._meta.get_field(self.column)
        if value not in [choice for choice, _ in field.choices]:
            raise invalid({self.column: [f'"{value}" is not a valid choice.']})
        setattr(record, self.column, value)
        record.save()
        card = {"id": str(record.pk), "name": str(record), self.column: value}
        moved: Body = {str(self.model._meta.model_name): card}
        return done(f"{self.label} moved successfully", **moved)


class LeadMove(Leads, RecordMove):
    """So a lead can be moved to "converted" without anything being made from it."""


class OpportunityMove(Opportunities, RecordMove):
    """So a deal can be won without an amount or a date."""

    column = "stage"

    def find(self, pk: UUID) -> Opportunity:
        return get_object_or_404(Opportunity, pk=pk)


class TaskMove(Tasks, RecordMove):
    pass


class CaseMove(Cases, RecordMove):
    """So a case is closed without a date and approval; the customer is mailed all the same."""

    def patch(self, request: Request, pk: UUID) -> Response:
        before = self.find(pk).status
        answer = super().patch(request, pk)
        follow_status(self.find(pk), before)
        return answer


urlpatterns = [
    path("leads/<uuid:pk>/move/", LeadMove.as_view()),
    path("opportunities/<uuid:pk>/move/", OpportunityMove.as_view()),
    path("tasks/<uuid:pk>/move/", TaskMove.as_view()),
    path("cases/<uuid:pk>/move/", CaseMove.as_view()),
]
